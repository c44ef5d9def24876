#include "applications/game_document.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "core/shown.hpp"
#include "core/toml_depth.hpp"
#include "sources/formula_error.hpp"

namespace bilevel {

namespace {

// Of what toml++ says, which may quote a key of any length.
constexpr std::size_t kLongestReason = 200;

// The byte at a line and column of toml++, which counts characters.
std::size_t offset_of(std::string_view text, const toml::source_position& where) {
  std::size_t offset = 0;
  for (toml::source_index line = 1; line < where.line; ++line) {
    const auto end = text.find('\n', offset);
    if (end == text.npos) return text.size();
    offset = end + 1;
  }
  for (toml::source_index column = 1; column < where.column && offset < text.size(); ++column) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80) ++offset;
  }
  return offset;
}

// Where the content of the string that begins at `offset` stands in the text; nothing if it is written with escapes.
std::optional<std::size_t> content_of(std::string_view text, std::size_t offset, std::string_view value) {
  const auto rest = text.substr(std::min(offset, text.size()));
  std::size_t open = 1;
  if (rest.starts_with("\"\"\"") || rest.starts_with("'''")) {
    open = 3;
    if (rest.substr(open).starts_with("\r\n")) {
      open += 2;
    } else if (rest.substr(open).starts_with("\n")) {
      open += 1;
    }
  } else if (!rest.starts_with('"') && !rest.starts_with('\'')) {
    return std::nullopt;
  }
  if (!rest.substr(std::min(open, rest.size())).starts_with(value)) return std::nullopt;
  return offset + open;
}

}  // namespace

GameDocument::GameDocument(std::string_view text, std::string_view source) : text_(text), source_(source) {
  if (text.size() > kLongestText) {
    refuse(fmt::format("too long for a game, which has at most {} bytes", kLongestText));
  }
  if (const auto place = deeper_than(text, kMostTomlLevels)) {
    refuse({static_cast<toml::source_index>(place->line), static_cast<toml::source_index>(place->column)},
           fmt::format("not a game: nested more than {} levels deep", kMostTomlLevels));
  }
  try {
    root_ = toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    refuse(error.source().begin, fmt::format("not valid TOML: {}", shown(error.description(), kLongestReason)));
  }
}

void GameDocument::refuse(const toml::source_position& where, std::string_view sentence) const {
  throw InvalidInput(fmt::format("{}:{}:{}: {}", source_, where.line, where.column, sentence));
}

void GameDocument::refuse(const toml::node& node, std::string_view sentence) const {
  refuse(node.source().begin, sentence);
}

void GameDocument::refuse(std::string_view sentence) const { refuse(toml::source_position{1, 1}, sentence); }

void GameDocument::refuse_inside(const toml::value<std::string>& value, std::size_t offset,
                                 std::string_view sentence) const {
  const std::size_t start = offset_of(text_, value.source().begin);
  if (const auto content = content_of(text_, start, value.get())) {
    throw InvalidInput(located(source_, text_, *content + offset, sentence));
  }
  const auto place = position_of(value.get(), offset);
  throw InvalidInput(
      located(source_, text_, start,
              fmt::format("at line {}, column {} of this formula: {}", place.line, place.column, sentence)));
}

std::vector<std::pair<std::string, const toml::node*>> GameDocument::entries(const toml::table& table) const {
  struct Entry {
    toml::source_position where;
    std::pair<std::string, const toml::node*> entry;
  };
  std::vector<Entry> found;
  for (const auto& [key, node] : table) found.push_back({key.source().begin, {std::string(key.str()), &node}});
  std::sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) { return a.where < b.where; });
  std::vector<std::pair<std::string, const toml::node*>> sorted;
  for (auto& each : found) sorted.push_back(std::move(each.entry));
  return sorted;
}

void GameDocument::check_keys(const toml::table& table, std::string_view place,
                              const std::vector<std::string>& known) const {
  for (const auto& [name, node] : entries(table)) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const auto& each : known) list += (list.empty() ? "" : ", ") + each;
    const auto near = nearest_name(name, known);
    refuse(table.find(name)->first.source().begin,
           fmt::format("{} has no key '{}'{}; its keys are {}", place, shown(name),
                       near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), list));
  }
}

const toml::table* GameDocument::table(std::string_view name) const {
  const toml::node* node = root_.get(name);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) refuse(*node, fmt::format("'{0}' must be a table, written [{0}]", name));
  return node->as_table();
}

const toml::value<std::string>& GameDocument::string(const toml::node& node, std::string_view what) const {
  if (!node.is_string()) refuse(node, fmt::format("{} must be a text in quotes", what));
  return *node.as_string();
}

double GameDocument::number(const toml::node& node, std::string_view what) const {
  const auto value = node.is_number() ? node.value<double>() : std::nullopt;
  if (!value) refuse(node, fmt::format("{} must be a number or a list of numbers", what));
  if (!std::isfinite(*value)) refuse(node, fmt::format("{} must be finite, but here it is {}", what, *value));
  return *value;
}

std::vector<double> GameDocument::numbers(const toml::node& node, std::string_view what) const {
  if (!node.is_array()) return {number(node, what)};
  std::vector<double> all;
  for (const auto& element : *node.as_array()) all.push_back(number(element, what));
  return all;
}

Vec GameDocument::vec(const toml::node& node, std::string_view what) const {
  const auto all = numbers(node, what);
  return Eigen::Map<const Vec>(all.data(), static_cast<Index>(all.size()));
}

}  // namespace bilevel
