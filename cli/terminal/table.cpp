#include "terminal/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "terminal/text.hpp"

namespace bilevel::cli {

Table::Table(std::vector<Column> columns, std::string title) : columns_(std::move(columns)), title_(std::move(title)) {}

void Table::add_row(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) {
    throw std::logic_error(fmt::format("a row of {} cells in a table of {} columns", cells.size(), columns_.size()));
  }
  for (auto& cell : cells) {
    std::replace_if(
        cell.begin(), cell.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  }
  rows_.push_back(std::move(cells));
}

std::string Table::to_string(std::size_t indent) const {
  std::vector<std::string> headers;
  std::vector<std::size_t> widths;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    headers.push_back(columns_[j].header);
    widths.push_back(display_width(columns_[j].header));
    for (const auto& row : rows_) widths[j] = std::max(widths[j], display_width(row[j]));
  }

  const std::string margin(indent, ' ');
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const std::string padding(widths[j] - display_width(cells[j]), ' ');
      if (j > 0) text += "  ";
      text += columns_[j].align == Align::right ? padding + cells[j] : cells[j] + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return (text.empty() ? "" : margin + text) + "\n";
  };

  std::string table;
  if (!title_.empty()) table += margin + title_ + "\n";
  table += line(headers);
  std::vector<std::string> rule;
  for (const auto width : widths) rule.emplace_back(width, '-');
  table += line(rule);
  for (const auto& row : rows_) table += line(row);
  return table;
}

}  // namespace bilevel::cli
