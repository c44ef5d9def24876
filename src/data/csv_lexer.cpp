#include "data/csv_lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "bilevel/spreadsheet.hpp"
#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

std::size_t count_line_ends(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'))) ++count;
  }
  return count;
}

}  // namespace

bool begins_like_formula(std::string_view text) {
  const auto first = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(first);
  return text.size() > 1 && std::string_view("=+-@").find(text.front()) != std::string_view::npos;
}

bool is_guarded(std::string_view text) {
  if (!text.starts_with('\'')) return false;
  const auto behind = std::min(text.find_first_not_of('\''), text.size());
  return begins_like_formula(text.substr(behind));
}

std::string_view CsvField::value(std::string& buffer) const {
  auto text = written(buffer);
  if (is_guarded(text)) text.remove_prefix(1);
  return text;
}

std::string_view CsvField::written(std::string& buffer) const {
  if (!is_quoted) return trim(raw);
  if (!has_doubled_quotes) return raw;
  buffer.clear();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    buffer.push_back(raw[i]);
    if (raw[i] == '"') ++i;
  }
  return buffer;
}

CsvLexer::CsvLexer(std::string_view text, char separator, std::string name)
    : text_(text), separator_(separator), name_(std::move(name)) {
  for (const char c : {separator, '\n', '\r'}) ends_field_[static_cast<unsigned char>(c)] = true;
}

bool CsvLexer::next() {
  while (at_ < text_.size()) {
    begin_ = at_;
    line_ = next_line_;
    read_record();
    const bool is_blank_line = fields_.size() == 1 && !fields_[0].is_quoted && trim(fields_[0].raw).empty();
    if (!is_blank_line) return true;
  }
  fields_.clear();
  return false;
}

void CsvLexer::read_record() {
  fields_.clear();
  for (;;) {
    std::size_t first = at_;
    while (first < text_.size() && text_[first] == ' ') ++first;
    fields_.push_back(first < text_.size() && text_[first] == '"' ? read_quoted(first) : read_plain());
    if (at_ == text_.size()) return;
    const char stop = text_[at_++];
    if (stop == separator_) continue;
    if (stop == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++next_line_;
    return;
  }
}

CsvField CsvLexer::read_plain() {
  const std::size_t first = at_;
  while (at_ < text_.size() && !ends_field_[static_cast<unsigned char>(text_[at_])]) ++at_;
  return {.raw = text_.substr(first, at_ - first)};
}

CsvField CsvLexer::read_quoted(std::size_t open) {
  CsvField field;
  field.is_quoted = true;
  std::size_t close = text_.find('"', open + 1);
  while (close != std::string_view::npos && close + 1 < text_.size() && text_[close + 1] == '"') {
    field.has_doubled_quotes = true;
    close = text_.find('"', close + 2);
  }
  if (close == std::string_view::npos) {
    throw InvalidInput(fmt::format("{}, line {}: a quote is opened here in field {} and never closed", name_,
                                   next_line_, fields_.size() + 1));
  }
  field.raw = text_.substr(open + 1, close - open - 1);
  next_line_ += count_line_ends(field.raw);
  at_ = close + 1;
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_ < text_.size() && !ends_field_[static_cast<unsigned char>(text_[at_])]) {
    throw InvalidInput(
        fmt::format("{}, line {}: text follows the closing quote of field {}; a quote inside a quoted field is doubled",
                    name_, next_line_, fields_.size() + 1));
  }
  return field;
}

std::string csv_quote(std::string_view raw, char separator) {
  const std::string value = spreadsheet_text(raw);
  const std::string special = std::string("\"\n\r") + separator;
  const bool plain = value.find_first_of(special) == std::string_view::npos && trim(value) == value && !value.empty();
  if (plain) return std::string(value);
  std::string text = "\"";
  for (const char c : value) {
    text.push_back(c);
    if (c == '"') text.push_back('"');
  }
  return text + '"';
}

std::string_view skip_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

}  // namespace bilevel::data
