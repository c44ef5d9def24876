#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <system_error>

#include "bilevel/atomic_file.hpp"
#include "bilevel/data.hpp"
#include "bilevel/spreadsheet.hpp"
#include "bilevel/status.hpp"
#include "data/checksum.hpp"
#include "data/csv_lexer.hpp"
#include "data/gzip_file.hpp"
#include "data/number.hpp"
#include "data/text_folders.hpp"

namespace bilevel::data {

namespace {

// Source lines of the kept rows, ascending, each once.
std::vector<std::size_t> kept_lines(const Table& table, std::span<const std::uint8_t> keep) {
  std::vector<std::size_t> lines;
  for (std::size_t i = 0; i < table.rows; ++i) {
    if (keep[i] != 0) lines.push_back(table.source_lines[i]);
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  return lines;
}

bool is_label_column(const Table& table, std::size_t column) {
  return column < table.encoding.size() && table.encoding[column].kind == Column::Kind::label;
}

/// The record as it stands in the text, but for apostrophes before what a spreadsheet would run.
void append_record(std::string& cleaned, const CsvLexer& lexer, const Table& table) {
  const std::string_view record = lexer.original();
  const char* copied = record.data();
  std::string buffer;
  for (std::size_t j = 0; j < lexer.fields().size(); ++j) {
    const CsvField& field = lexer.fields()[j];
    const std::string_view text = field.written(buffer);
    double number = 0;
    // A plain number is none in the label's column either, but "+1" is spelt like a formula, and stays a label.
    const bool is_spelt = is_label_column(table, j) && text.starts_with('+');
    if (!begins_like_formula(text) || (!is_spelt && parse_number(text, number))) continue;
    const char* const start = field.is_quoted ? field.raw.data() : trim(field.raw).data();
    cleaned.append(copied, start);
    cleaned += '\'';
    copied = start;
  }
  cleaned.append(copied, record.data() + record.size());
}

std::string cleaned_csv(const Table& table, std::string_view text, const std::vector<std::size_t>& lines) {
  CsvLexer lexer(text, table.separator, table.source);
  std::string cleaned;
  if (table.has_header && lexer.next()) append_record(cleaned, lexer, table);
  for (auto wanted = lines.begin(); wanted != lines.end() && lexer.next();) {
    if (lexer.line() != *wanted) continue;
    append_record(cleaned, lexer, table);
    ++wanted;
  }
  return cleaned;
}

std::string cleaned_libsvm(std::string_view text, const std::vector<std::size_t>& lines) {
  std::string cleaned;
  auto wanted = lines.begin();
  for (std::size_t line = 1; wanted != lines.end() && !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    if (line == *wanted) {
      cleaned += text.substr(0, end);
      ++wanted;
    }
    text.remove_prefix(end);
  }
  return cleaned;
}

// 0-based position in the source and class of the kept rows, ascending, each once.
std::vector<std::pair<std::size_t, std::int32_t>> kept_labels(const Table& table, std::span<const std::uint8_t> keep) {
  std::vector<std::pair<std::size_t, std::int32_t>> kept;
  for (std::size_t i = 0; i < table.rows; ++i) {
    if (keep[i] != 0) kept.emplace_back(table.source_lines[i] - 1, table.labels[i]);
  }
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

std::string cleaned_idx(const Table& table, std::span<const std::uint8_t> keep) {
  std::string cleaned = "index,label\n";
  for (const auto& [index, label] : kept_labels(table, keep)) {
    cleaned += fmt::format("{},{}\n", index, table.class_keys[static_cast<std::size_t>(label)]);
  }
  return cleaned;
}

void refuse_input(const std::filesystem::path& output, const std::string& input) {
  std::error_code ignored;
  if (std::filesystem::equivalent(output, input, ignored)) {
    throw InvalidInput(fmt::format("{}: is the training data itself; choose another output", output.string()));
  }
}

std::string cleaned_folders(const std::filesystem::path& output, const Table& table,
                            std::span<const std::uint8_t> keep) {
  const TextDocuments documents = list_documents(table.source);
  if (checksum(documents) != table.source_checksum) {
    throw InvalidInput(
        fmt::format("{}: files were added or removed since it was read, so its rows cannot be named", table.source));
  }
  for (const std::string& file : documents.files) refuse_input(output, file);
  std::string cleaned = "file,label\n";
  for (const auto& [index, label] : kept_labels(table, keep)) {
    cleaned += fmt::format("{},{}\n", csv_quote(documents.files.at(index), ','),
                           csv_quote(table.class_keys[static_cast<std::size_t>(label)], ','));
  }
  return cleaned;
}

std::string read_again(const Table& table) {
  std::string bytes = read_bytes(table.source, std::numeric_limits<std::size_t>::max() / 2);
  if (bytes.size() != table.source_bytes || checksum(bytes) != table.source_checksum) {
    throw InvalidInput(fmt::format("{}: has changed since it was read, so its rows cannot be copied", table.source));
  }
  return bytes;
}

}  // namespace

std::string spreadsheet_text(std::string_view text) {
  double number = 0;
  const bool is_number = !text.starts_with('+') && parse_number(text, number);
  const bool is_run = begins_like_formula(text) && !is_number;
  return (is_run || is_guarded(text) ? "'" : "") + std::string(text);
}

std::size_t write_cleaned_csv(const std::filesystem::path& output, const Table& table,
                              std::span<const std::uint8_t> keep) {
  if (keep.size() != table.rows || table.source_lines.size() != table.rows) {
    throw DimensionMismatch(fmt::format("{} has {} and {} known source lines, but {} keep flags", table.source,
                                        counted(table.rows, "row"), table.source_lines.size(), keep.size()));
  }
  const auto lines = kept_lines(table, keep);
  if (table.format == Format::idx) {
    write_atomically(output, cleaned_idx(table, keep));
    return lines.size();
  }
  if (table.format == Format::text && table.encoding.empty()) {
    write_atomically(output, cleaned_folders(output, table, keep));
    return lines.size();
  }
  refuse_input(output, table.source);
  const std::string bytes = read_again(table);
  const std::string_view text = skip_byte_order_mark(bytes);
  std::string cleaned(bytes, 0, bytes.size() - text.size());
  cleaned += table.format == Format::libsvm ? cleaned_libsvm(text, lines) : cleaned_csv(table, text, lines);
  write_atomically(output, cleaned);
  return lines.size();
}

}  // namespace bilevel::data
