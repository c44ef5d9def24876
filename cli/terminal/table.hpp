// A table for the terminal:
//
//   Table table({{"rows"}, {"test error", Align::right}}, "Comparison");
//   table.add_row({"as they are", "12.4 %"});
//   write_out(table.to_string());
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bilevel::cli {

enum class Align { left, right };

struct Column {
  std::string header;
  Align align = Align::left;
};

class Table {
 public:
  /// A title of "" is left out.
  explicit Table(std::vector<Column> columns, std::string title = "");

  /// One cell for each column (else std::logic_error). Line breaks and tabs become spaces, other control characters
  /// are made visible().
  void add_row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  /// Title, headers, a rule, rows; ends with '\n'. Columns are as wide as their widest cell on a screen, two spaces
  /// apart; no line ends with a space. Each line starts with `indent` spaces.
  ///
  /// A table wider than `width` (0: table_width()) has its texts wrapped; numbers never are. Where even that is too
  /// wide, each row becomes a paragraph of lines "header: cell".
  std::string to_string(std::size_t indent = 0, std::size_t width = 0) const;

 private:
  /// Of the columns, at most `most` in all with the gaps; empty if that cannot be.
  std::vector<std::size_t> widths_within(std::size_t most) const;
  /// As many lines as the cell that is wrapped most.
  std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                   const std::string& margin) const;
  std::string as_paragraphs(const std::string& margin, std::size_t width) const;

  std::vector<Column> columns_;
  std::string title_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace bilevel::cli
