#include "data/text_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bilevel/status.hpp"
#include "data/csv_layout.hpp"
#include "data/csv_lexer.hpp"
#include "data/csv_notes.hpp"
#include "data/missing.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

using Kind = Column::Kind;

const std::vector<std::string>& usual_text_names() {
  static const std::vector<std::string> names = {"text", "message", "body", "content", "document"};
  return names;
}

// Calls each(record, row) with every data record, rows counted from 1.
template <typename Each>
void for_records(std::string_view text, const CsvLayout& layout, const std::string& name, Each each) {
  CsvLexer lexer(text, layout.separator, name);
  if (layout.has_header) lexer.next();
  for (std::size_t row = 1; lexer.next(); ++row) {
    check_width(layout, lexer, row, name);
    each(lexer, row);
  }
}

// The column with the most bytes, except one.
std::size_t longest_column(std::string_view text, const CsvLayout& layout, const std::string& name,
                           std::size_t except) {
  std::vector<std::size_t> bytes(layout.width);
  for_records(text, layout, name, [&](const CsvLexer& record, std::size_t) {
    for (std::size_t j = 0; j < layout.width; ++j) bytes[j] += j == except ? 0 : record.fields()[j].raw.size();
  });
  return static_cast<std::size_t>(std::max_element(bytes.begin(), bytes.end()) - bytes.begin());
}

CsvLayout decide_text_layout(std::string_view text, const std::string& name, const TextOptions& options) {
  ReadOptions read;
  read.label = options.label;
  std::vector<std::string> telling = usual_text_names();
  std::uint64_t number = 0;
  if (!options.text.empty() && options.text != "last" && !parse_position(options.text, number))
    telling.push_back(options.text);
  CsvLayout layout = decide_columns(text, name, read, telling);
  const auto names = names_of(layout);

  std::size_t label = find_label(names, name, read);
  std::size_t document = options.text.empty() ? find_usual_column(names, usual_text_names())
                                              : find_column(options.text, names, name, "the option text");
  if (document == kAbsent) {
    document = longest_column(text, layout, name, label);
    layout.notes.push_back(fmt::format("no text column was named; {}, which has the longest fields, is taken",
                                       in_quotes(names[document])));
  }
  if (label == document) {
    if (!options.label.empty()) {
      throw InvalidOption(fmt::format("the column {} is both the label and the text", in_quotes(names[label])));
    }
    label = kAbsent;
  }
  if (label == kAbsent) {
    label = names.size() - (document == names.size() - 1 ? 2 : 1);
    layout.notes.push_back(
        fmt::format("no label column was named; {} is taken{}", in_quotes(names[label]),
                    names.size() > 2 ? ", the last one that is not the text" : ", for the other one is the text"));
  }
  std::vector<std::string> unused;
  for (std::size_t j = 0; j < names.size(); ++j) {
    layout.columns[j].kind = j == label ? Kind::label : j == document ? Kind::text : Kind::dropped;
    if (j != label && j != document) unused.push_back(names[j]);
  }
  if (!unused.empty()) {
    layout.notes.push_back(
        fmt::format("{} neither text nor label: {} ignored", counted(unused.size(), "column"), list_in_quotes(unused)));
  }
  return layout;
}

std::size_t column_of(const CsvLayout& layout, Kind kind) {
  const auto is_wanted = [&](const Column& column) { return column.kind == kind; };
  const auto found = std::find_if(layout.columns.begin(), layout.columns.end(), is_wanted);
  return static_cast<std::size_t>(found - layout.columns.begin());
}

}  // namespace

std::size_t read_text_csv(Table& table, TextCodes& codes, HashedWords& words, std::string_view text,
                          const std::string& name, const Table* training, const TextOptions& options) {
  const ReadOptions read;
  const Missing missing(read.missing);
  CsvLayout layout = training != nullptr && !training->encoding.empty() ? match_layout(text, name, *training, read)
                                                                        : decide_text_layout(text, name, options);
  const std::size_t document_place = layout.place.at(column_of(layout, Kind::text));
  const std::size_t label_place = layout.place.at(column_of(layout, Kind::label));
  const std::string label_name = layout.columns[column_of(layout, Kind::label)].name;
  std::size_t without_words = 0;
  Faults without_label;
  std::string buffer;
  for_records(text, layout, name, [&](const CsvLexer& record, std::size_t row) {
    const std::string_view label = record.fields()[label_place].value(buffer);
    if (missing.contains(label))
      without_label.add({.row = row, .line = record.line(), .column = label_name, .text = ""});
    table.labels.push_back(codes.code(label));
    const std::string_view document = record.fields()[document_place].value(buffer);
    const std::size_t count = words.append_row(options.skip_headers ? without_mail_header(document) : document, table);
    without_words += count == 0 ? 1 : 0;
    table.source_lines.push_back(record.line());
  });
  if (table.labels.empty()) throw InvalidInput(fmt::format("{}: holds a header and no rows", name));
  without_label.raise(name, "missing value", "fill them in or remove the rows");
  table.has_header = layout.has_header;
  table.separator = layout.separator;
  table.encoding = std::move(layout.columns);
  table.notes.insert(table.notes.end(), layout.notes.begin(), layout.notes.end());
  return without_words;
}

}  // namespace bilevel::data
