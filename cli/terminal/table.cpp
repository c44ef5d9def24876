#include "terminal/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "terminal/stream.hpp"
#include "terminal/text.hpp"
#include "terminal/visible.hpp"

namespace bilevel::cli {

Table::Table(std::vector<Column> columns, std::string title) : columns_(std::move(columns)), title_(std::move(title)) {}

void Table::add_row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) {
    throw std::logic_error(fmt::format("a row of {} cells in a table of {} columns", cells.size(), columns_.size()));
  }
  for (auto& cell : cells) {
    std::replace_if(
        cell.begin(), cell.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    cell = visible(cell, true);
  }
  rows_.push_back(std::move(cells));
}

namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowestText = 10;  // columns below which a wrapped text is no longer read with ease

std::size_t longest_word(std::string_view text) {
  std::size_t longest = 0;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    longest = std::max(longest, display_width(word));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return longest;
}

}  // namespace

std::vector<std::size_t> Table::widths_within(std::size_t most) const {
  std::vector<std::size_t> widths, least;
  std::size_t total = kGap * (columns_.size() - 1);
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    std::size_t cells = 0;
    for (const auto& row : rows_) cells = std::max(cells, display_width(row[j]));
    widths.push_back(std::max(cells, display_width(columns_[j].header)));
    const auto of_cells = columns_[j].align == Align::left ? std::min(cells, kNarrowestText) : cells;
    least.push_back(std::max(of_cells, longest_word(columns_[j].header)));
    total += widths[j];
  }
  while (total > most) {
    std::size_t widest = columns_.size();
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      if (widths[j] > least[j] && (widest == columns_.size() || widths[j] > widths[widest])) widest = j;
    }
    if (widest == columns_.size()) return {};
    --widths[widest];
    --total;
  }
  return widths;
}

std::string Table::as_paragraphs(const std::string& margin, std::size_t width) const {
  std::string text;
  for (const auto& row : rows_) {
    if (!text.empty()) text += "\n";
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      if (row[j].empty()) continue;
      const auto& header = columns_[j].header;
      for (const auto& line : wrapped_lines(header.empty() ? row[j] : header + ": " + row[j], width)) {
        text += margin + line + "\n";
      }
    }
  }
  return text;
}

std::string Table::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                        const std::string& margin) const {
  std::vector<std::vector<std::string>> wrapped;
  std::size_t height = 1;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const bool fits = display_width(cells[j]) <= widths[j];
    wrapped.push_back(fits ? std::vector{cells[j]} : wrapped_lines(cells[j], widths[j]));
    height = std::max(height, wrapped.back().size());
  }
  std::string lines;
  for (std::size_t i = 0; i < height; ++i) {
    std::string text;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const auto cell = i < wrapped[j].size() ? wrapped[j][i] : std::string();
      const std::string padding(widths[j] - std::min(widths[j], display_width(cell)), ' ');
      if (j > 0) text += std::string(kGap, ' ');
      text += columns_[j].align == Align::right ? padding + cell : cell + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    lines += (text.empty() ? "" : margin + text) + "\n";
  }
  return lines;
}

std::string Table::to_string(std::size_t indent, std::size_t width) const {
  constexpr std::size_t kNarrowest = 10;
  const auto limit = std::max(width == 0 ? table_width() : width, indent + kNarrowest) - indent;
  const std::string margin(indent, ' ');
  std::string table;
  if (!title_.empty()) {
    for (const auto& part : wrapped_lines(title_, limit)) table += margin + part + "\n";
  }
  const auto widths = widths_within(limit);
  if (widths.empty()) return table + as_paragraphs(margin, limit);
  std::vector<std::string> headers, rule;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    headers.push_back(columns_[j].header);
    rule.emplace_back(widths[j], '-');
  }
  table += line(headers, widths, margin) + line(rule, widths, margin);
  for (const auto& row : rows_) table += line(row, widths, margin);
  return table;
}

}  // namespace bilevel::cli
