// What a CSV file's columns are, before its values are read: separator, header, label column, columns to leave out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/data.hpp"
#include "data/csv_lexer.hpp"

namespace bilevel::data {

struct CsvLayout {
  char separator = ',';
  bool has_header = false;
  std::size_t width = 0;           ///< fields in a record of this file
  std::vector<Column> columns;     ///< one per column of the training file
  std::vector<std::size_t> place;  ///< position in this file of each of `columns`; kAbsent for dropped ones
  std::vector<std::string> notes;
};

inline constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

/// A column by name, 1-based number or "last"; `option` is told in the InvalidInput about one that does not exist.
std::size_t find_column(const std::string& wanted, const std::vector<std::string>& names, const std::string& name,
                        std::string_view option);

/// The first of the `usual` names, without regard to case, that a column has; kAbsent if none.
std::size_t find_usual_column(const std::vector<std::string>& names, const std::vector<std::string>& usual);

/// The label column that options.label or the column names tell; kAbsent if none does.
std::size_t find_label(const std::vector<std::string>& names, const std::string& name, const ReadOptions& options);

/// Decides separator, header and column names of training data. All columns are marked numeric. A first record with one
/// of the `telling` names is a header.
CsvLayout decide_columns(std::string_view text, const std::string& name, const ReadOptions& options,
                         const std::vector<std::string>& telling = {});

/// The names of the columns.
std::vector<std::string> names_of(const CsvLayout& layout);

/// Decides the layout of training data. Columns other than the label and the dropped ones are marked numeric.
CsvLayout decide_layout(std::string_view text, const std::string& name, const ReadOptions& options);

/// Throws InvalidInput if data row `row` (1-based) has more or fewer fields than the first record.
void check_width(const CsvLayout& layout, const CsvLexer& record, std::size_t row, const std::string& name);

/// Finds the training columns in a validation or test file.
CsvLayout match_layout(std::string_view text, const std::string& name, const Table& training,
                       const ReadOptions& options);

}  // namespace bilevel::data
