// Records and fields of a CSV text (RFC 4180), without copying.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::data {

/// Whether a spreadsheet might take a field with this text for a formula, and run it: behind blanks it begins with =,
/// +,
/// - or @ and goes on. Numbers do, too.
bool begins_like_formula(std::string_view text);

/// Whether apostrophes keep spreadsheets from that: "'=x", "''=x". The writers put one in front of such a text, and
/// reading takes one away.
bool is_guarded(std::string_view text);

/// One field: a view of the text without the surrounding quotes.
struct CsvField {
  std::string_view raw;
  bool is_quoted = false;
  bool has_doubled_quotes = false;

  /// The field's value: as written(), without the apostrophe that keeps spreadsheets from running it.
  std::string_view value(std::string& buffer) const;

  /// The field's text: doubled quotes made single; blanks around an unquoted field removed. `buffer` is used only if a
  /// quote was doubled, and the view is valid as long as the buffer and the text.
  std::string_view written(std::string& buffer) const;
};

/// Reads one record after another. Records end with \n, \r\n or \r; blank lines are skipped; blanks around a quoted
/// field are ignored; a quote inside an unquoted field is an ordinary character.
class CsvLexer {
 public:
  /// `name` is the file's name for messages; `text` must outlive the lexer.
  CsvLexer(std::string_view text, char separator, std::string name);

  /// Moves to the next record; false at the end. Throws InvalidInput for an unclosed quote or for text after a closing
  /// quote.
  bool next();

  const std::vector<CsvField>& fields() const { return fields_; }
  std::size_t line() const { return line_; }  ///< 1-based number of the record's first line
  /// The record as it stands in the text, with its line end.
  std::string_view original() const { return text_.substr(begin_, at_ - begin_); }

 private:
  void read_record();
  CsvField read_quoted(std::size_t open);
  CsvField read_plain();

  std::string_view text_;
  char separator_;
  std::string name_;
  std::array<bool, 256> ends_field_{};
  std::vector<CsvField> fields_;
  std::size_t begin_ = 0;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::size_t next_line_ = 1;
};

/// The field as CSV text: quoted only where it must be, and as spreadsheet_text(), so that value() gives it back.
std::string csv_quote(std::string_view value, char separator);

/// Without the UTF-8 byte order mark.
std::string_view skip_byte_order_mark(std::string_view text);

}  // namespace bilevel::data
