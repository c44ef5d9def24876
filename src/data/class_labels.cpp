#include "data/class_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

bool parse_finite(std::string_view text, double& value) { return parse_number(text, value) && std::isfinite(value); }

// The shortest spelling of a number: one for "1", "1.0" and "+1".
std::string canonical(std::string_view text) {
  double value = 0;
  return parse_finite(text, value) ? fmt::format("{}", value + 0.0) : std::string(text);
}

bool all_numbers(const std::vector<std::string>& texts) {
  double ignored = 0;
  return std::all_of(texts.begin(), texts.end(), [&](const std::string& text) { return parse_finite(text, ignored); });
}

std::vector<std::string> sorted_keys(const std::vector<std::string>& texts) {
  std::vector<std::string> keys = texts;
  if (all_numbers(texts)) {
    for (std::string& key : keys) key = canonical(key);
    std::sort(keys.begin(), keys.end(), [](const std::string& a, const std::string& b) {
      double left = 0;
      double right = 0;
      parse_number(a, left);
      parse_number(b, right);
      return left < right;
    });
  } else {
    std::sort(keys.begin(), keys.end());
  }
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

[[noreturn]] void reject_unknown(const Table& table, const std::vector<std::string>& texts,
                                 const std::vector<std::int32_t>& class_of_code, const Table& training) {
  std::vector<std::string> unknown;
  for (std::size_t code = 0; code < texts.size(); ++code) {
    if (class_of_code[code] < 0) unknown.push_back(texts[code]);
  }
  const auto is_unknown = [&](std::int32_t code) { return class_of_code[static_cast<std::size_t>(code)] < 0; };
  const auto rows = std::count_if(table.labels.begin(), table.labels.end(), is_unknown);
  throw InvalidInput(fmt::format("{}: {} {} in {}{} does not occur in the training data, whose labels are {}",
                                 table.source, unknown.size() == 1 ? "the label" : "each of the labels",
                                 list_in_quotes(unknown), counted(static_cast<std::size_t>(rows), "row"),
                                 nearest_hint(unknown.front(), training.class_keys),
                                 list_in_quotes(training.class_keys, 20)));
}

}  // namespace

std::int32_t TextCodes::code(std::string_view text) {
  const auto found = codes_.find(text);
  if (found != codes_.end()) return found->second;
  const auto code = static_cast<std::int32_t>(texts_.size());
  texts_.emplace_back(text);
  codes_.emplace(text, code);
  return code;
}

std::vector<std::int32_t> class_numbers(const std::vector<std::string>& texts, const std::vector<std::string>& keys) {
  std::map<std::string_view, std::int32_t> numbers;
  for (std::size_t i = 0; i < keys.size(); ++i) numbers.emplace(keys[i], static_cast<std::int32_t>(i));
  std::vector<std::int32_t> classes;
  for (const std::string& text : texts) {
    auto found = numbers.find(text);
    if (found == numbers.end()) found = numbers.find(canonical(text));
    classes.push_back(found == numbers.end() ? -1 : found->second);
  }
  return classes;
}

bool too_many_values(std::size_t different, std::size_t rows) { return different > 100 && different > rows / 2; }

void number_classes(Table& table, const TextCodes& codes, const Table* training, const ReadOptions& options) {
  const auto& texts = codes.texts();
  if (training == nullptr && too_many_values(texts.size(), table.rows)) {
    throw InvalidInput(
        fmt::format("{}: {} different labels in {} rows ({}) are not classes; choose another label column",
                    table.source, texts.size(), table.rows, list_in_quotes(texts, 3)));
  }
  table.class_keys = training != nullptr ? training->class_keys : sorted_keys(texts);
  table.classes = table.class_keys.size();
  if (training == nullptr && table.classes < 2) {
    throw InvalidInput(fmt::format("{}: {} the label {}; at least two classes are needed", table.source,
                                   table.rows == 1 ? "the only row has" : fmt::format("all {} rows have", table.rows),
                                   in_quotes(table.class_keys.at(0))));
  }
  const auto class_of_code = class_numbers(texts, table.class_keys);
  if (std::count(class_of_code.begin(), class_of_code.end(), -1) > 0) {
    reject_unknown(table, texts, class_of_code, *training);
  }
  for (std::int32_t& label : table.labels) label = class_of_code[static_cast<std::size_t>(label)];

  table.class_names = table.class_keys;
  if (training != nullptr) {
    table.class_names = training->class_names;
  } else if (!options.class_names.empty()) {
    if (options.class_names.size() != table.classes) {
      throw InvalidOption(fmt::format("class_names has {}, but {} has {}: {}",
                                      counted(options.class_names.size(), "name"), table.source,
                                      counted(table.classes, "label"), list_in_quotes(table.class_keys, 20)));
    }
    table.class_names = options.class_names;
  }
}

}  // namespace bilevel::data
