#include "data/libsvm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "bilevel/status.hpp"
#include "data/class_labels.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

// The largest public data sets have 55 million features; a larger index is a damaged one.
constexpr std::uint64_t kLargestIndex = 100'000'000;

class Tokens {
 public:
  explicit Tokens(std::string_view line) : line_(line) {}

  // The next run of characters other than spaces and tabs; empty at the end.
  std::string_view next() {
    const auto begin = line_.find_first_not_of(" \t\r", at_);
    if (begin == std::string_view::npos) return {};
    const auto end = std::min(line_.find_first_of(" \t\r", begin), line_.size());
    at_ = end;
    column_ = begin + 1;
    return line_.substr(begin, end - begin);
  }

  // 1-based position of the last token in its line.
  std::size_t column() const { return column_; }

 private:
  std::string_view line_;
  std::size_t at_ = 0;
  std::size_t column_ = 1;
};

// Cuts the first line off `text`, without its end and its comment.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line.substr(0, line.find('#'));
}

class Reader {
 public:
  Reader(Table& table, const std::string& name, const Table* training) : t_(table), name_(name), training_(training) {
    if (training_ == nullptr) return;
    limit_ = training_->column_numbers.empty() ? training_->features : training_->column_numbers.back();
  }

  void read_line(std::string_view line, std::size_t number) {
    line_ = number;
    Tokens tokens(line);
    const std::string_view label = tokens.next();
    if (label.empty()) return;
    double value = 0;
    if (!parse_number(label, value) || !std::isfinite(value)) {
      fail(tokens, fmt::format("the label {} is not a finite number", in_quotes(label)));
    }
    t_.labels.push_back(codes_.code(label));
    t_.source_lines.push_back(number);
    std::uint64_t previous = 0;
    for (auto token = tokens.next(); !token.empty(); token = tokens.next()) read_feature(token, tokens, previous);
    t_.row_starts.push_back(t_.columns.size());
  }

  std::uint64_t largest_index() const { return largest_; }
  const TextCodes& codes() const { return codes_; }
  std::size_t values_left_out() const { return left_out_; }

 private:
  void read_feature(std::string_view token, const Tokens& tokens, std::uint64_t& previous) {
    const auto colon = token.find(':');
    if (colon == std::string_view::npos) {
      fail(tokens, fmt::format("{} is not of the form index:value", in_quotes(token)));
    }
    const std::string_view index_text = token.substr(0, colon);
    const std::string_view value_text = token.substr(colon + 1);
    std::uint64_t index = 0;
    if (!parse_position(index_text, index)) {
      fail(tokens, fmt::format("the index {} is not a whole number from 1", in_quotes(index_text)));
    }
    if (index <= previous) {
      fail(tokens, fmt::format("the index {} follows {}; indices in a line must increase", index, previous));
    }
    if (training_ != nullptr && index > limit_) {
      fail(tokens, fmt::format("the index {} is above {}, the largest one of the training data", index, limit_));
    }
    if (index > kLargestIndex) fail(tokens, fmt::format("the index {} is above the allowed {}", index, kLargestIndex));
    double value = 0;
    if (!parse_number(value_text, value)) {
      fail(tokens, fmt::format("the value {} of feature {} is not a number", in_quotes(value_text), index));
    }
    if (!std::isfinite(static_cast<float>(value))) {
      fail(tokens, fmt::format("the value {} of feature {} is not a finite single-precision number",
                               in_quotes(value_text), index));
    }
    previous = index;
    largest_ = std::max(largest_, index);
    auto column = static_cast<std::uint32_t>(index - 1);
    if (training_ != nullptr && !training_->column_numbers.empty()) {
      const auto& numbers = training_->column_numbers;
      const auto found = std::lower_bound(numbers.begin(), numbers.end(), index);
      if (*found != index) {
        ++left_out_;
        return;
      }
      column = static_cast<std::uint32_t>(found - numbers.begin());
    }
    t_.columns.push_back(column);
    t_.values.push_back(static_cast<float>(value));
  }

  [[noreturn]] void fail(const Tokens& tokens, const std::string& what) const {
    throw InvalidInput(fmt::format("{}, line {}, column {}: {}", name_, line_, tokens.column(), what));
  }

  Table& t_;
  const std::string& name_;
  const Table* training_;
  TextCodes codes_;
  std::size_t line_ = 0;
  std::uint64_t limit_ = 0;  // of an index, by the training data
  std::uint64_t largest_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace

bool looks_like_libsvm(std::string_view text) {
  constexpr int kLines = 50;
  int seen = 0;
  int alike = 0;
  bool has_feature = false;
  while (!text.empty() && seen < kLines) {
    Tokens tokens(take_line(text));
    const auto label = tokens.next();
    if (label.empty()) continue;
    ++seen;
    double number = 0;
    std::uint64_t index = 0;
    const auto feature = tokens.next();
    const auto colon = feature.find(':');
    const bool is_feature = colon != std::string_view::npos && feature.find(',') == std::string_view::npos &&
                            (parse_position(feature.substr(0, colon), index) || feature.substr(0, colon) == "0");
    if (parse_number(label, number) && (feature.empty() || is_feature)) ++alike;
    has_feature = has_feature || is_feature;
  }
  return has_feature && 2 * alike >= seen;
}

void read_libsvm(Table& table, std::string_view text, const std::string& name, const Table* training,
                 const ReadOptions& options) {
  table.format = Format::libsvm;
  table.sparse = true;
  table.row_starts.push_back(0);
  const auto most = static_cast<std::size_t>(std::count(text.begin(), text.end(), ':'));
  table.columns.reserve(most);
  table.values.reserve(most);
  Reader reader(table, name, training);
  for (std::size_t line = 1; !text.empty(); ++line) reader.read_line(take_line(text), line);
  table.rows = table.labels.size();
  if (table.rows == 0) throw InvalidInput(fmt::format("{}: holds no rows", name));
  table.features = training != nullptr ? training->features : reader.largest_index();
  if (table.features == 0) throw InvalidInput(fmt::format("{}: no line has a feature index:value", name));
  if (training == nullptr && !options.keep_unused_columns) {
    if (auto note = drop_unused_columns(table); !note.empty()) table.notes.push_back(std::move(note));
  }
  if (training != nullptr) table.column_numbers = training->column_numbers;
  if (reader.values_left_out() > 0) {
    table.notes.push_back(fmt::format("{} in columns that hold nothing in the training data: left out",
                                      counted(reader.values_left_out(), "value")));
  }
  number_classes(table, reader.codes(), training, options);
}

}  // namespace bilevel::data
