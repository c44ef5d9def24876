// Labels that stand in a file of their own.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "data/class_labels.hpp"
#include "data/csv_layout.hpp"
#include "data/csv_lexer.hpp"
#include "data/gzip_file.hpp"
#include "data/idx.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

/// The label field of one record, and the record's first line (1-based).
struct Entry {
  std::string text;
  std::size_t line = 0;
};

bool is_missing(std::string_view text, const ReadOptions& options) {
  return text.empty() || std::any_of(options.missing.begin(), options.missing.end(),
                                     [&](const std::string& spelling) { return equal_ignoring_case(spelling, text); });
}

// The separator that cuts each of the first records into the same number of fields, more than one; 0 if there is none.
char find_separator(std::string_view text, const std::string& name) {
  constexpr int kRecords = 20;
  for (const char candidate : {',', ';', '\t'}) {
    try {
      CsvLexer lexer(text, candidate, name);
      std::size_t width = 0;
      bool same = true;
      for (int i = 0; i < kRecords && lexer.next(); ++i) {
        if (i == 0) width = lexer.fields().size();
        same = same && lexer.fields().size() == width;
      }
      if (same && width > 1) return candidate;
    } catch (const InvalidInput&) {
      // Quotes that do not close with this separator: it is not the file's.
    }
  }
  return '\0';
}

// Blank lines count here: they are rows whose label is not known.
std::vector<Entry> one_label_a_line(std::string_view text, const std::string& name) {
  std::vector<Entry> entries;
  std::string buffer;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : text.empty() ? 0 : 1);
    Entry& entry = entries.emplace_back();
    entry.line = entries.size();
    if (line.empty()) continue;
    if (line.front() != '"') {
      entry.text = line;
      continue;
    }
    // Text has no zero bytes, so the whole line is one field.
    CsvLexer lexer(line, '\0', fmt::format("{}, line {}", name, entry.line));
    lexer.next();
    entry.text = lexer.fields().front().value(buffer);
  }
  return entries;
}

std::string training_label_column(const Table& training) {
  const auto found = std::find_if(training.encoding.begin(), training.encoding.end(),
                                  [](const Column& column) { return column.kind == Column::Kind::label; });
  return found != training.encoding.end() && training.has_header ? found->name : "";
}

bool is_label_name(std::string_view text, const Table& training, const ReadOptions& options) {
  if (text.empty()) return false;
  if (text == options.label || text == training_label_column(training)) return true;
  constexpr std::array<std::string_view, 4> kUsual{"label", "class", "target", "y"};
  return std::any_of(kUsual.begin(), kUsual.end(), [&](auto usual) { return equal_ignoring_case(usual, text); });
}

std::size_t choose_column(const std::vector<std::string>& first, const std::string& name, const Table& training,
                          const ReadOptions& options) {
  std::vector<std::string> names = first;
  // A number is a position: the fields of the first record may be data that happens to look like it.
  std::uint64_t position = 0;
  const bool by_number = parse_position(options.label, position) && options.label != training_label_column(training);
  if (options.header == Header::no || by_number) {
    for (std::size_t j = 0; j < names.size(); ++j) names[j] = fmt::format("column{}", j + 1);
  }
  if (!options.label.empty()) return find_column(options.label, names, name, "the option label");
  const auto like_training = std::find(names.begin(), names.end(), training_label_column(training));
  if (like_training != names.end()) return static_cast<std::size_t>(like_training - names.begin());
  const auto usual = std::find_if(names.begin(), names.end(),
                                  [&](const auto& column) { return is_label_name(column, training, options); });
  return static_cast<std::size_t>((usual != names.end() ? usual : names.end() - 1) - names.begin());
}

std::vector<Entry> label_column(std::string_view text, char separator, const std::string& name, const Table& training,
                                const ReadOptions& options) {
  CsvLexer lexer(text, separator, name);
  std::vector<Entry> entries;
  std::string buffer;
  std::size_t width = 0;
  std::size_t column = 0;
  while (lexer.next()) {
    const auto& fields = lexer.fields();
    if (entries.empty()) {
      std::vector<std::string> first;
      for (const CsvField& field : fields) first.emplace_back(field.value(buffer));
      width = first.size();
      column = width == 1 ? 0 : choose_column(first, name, training, options);
    }
    if (fields.size() != width) {
      throw InvalidInput(fmt::format("{}, line {} (row {}): has {}, but the first line has {}", name, lexer.line(),
                                     entries.size() + 1, counted(fields.size(), "field"), width));
    }
    entries.push_back({.text = std::string(fields[column].value(buffer)), .line = lexer.line()});
  }
  return entries;
}

[[noreturn]] void reject_label(const std::string& name, std::string_view text, std::size_t row, std::size_t line,
                               const Table& training) {
  const std::string where = line == 0 ? "" : fmt::format(", line {}", line);
  throw InvalidInput(fmt::format(
      "{}{} (row {}): the label {} does not occur in the training data{}, whose labels are {}", name, where, row,
      in_quotes(text), nearest_hint(text, training.class_keys), list_in_quotes(training.class_keys, 20)));
}

// As in the label file, or as shown: a named data set shows other names.
std::vector<std::int32_t> numbers_or_names(const std::vector<std::string>& texts, const Table& training) {
  auto classes = class_numbers(texts, training.class_keys);
  const auto shown = class_numbers(texts, training.class_names);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0) classes[i] = shown[i];
  }
  return classes;
}

std::vector<std::int32_t> labels_of_idx(std::string bytes, const std::string& name, const Table& training) {
  const auto values = read_idx_labels(std::move(bytes), name);
  TextCodes codes;
  std::vector<std::int32_t> labels;
  labels.reserve(values.size());
  for (const auto value : values) labels.push_back(codes.code(fmt::format("{}", value)));
  const auto class_of_code = numbers_or_names(codes.texts(), training);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto code = static_cast<std::size_t>(labels[i]);
    labels[i] = class_of_code[code];
    if (labels[i] < 0 && values[i] != -1) reject_label(name, codes.texts()[code], i + 1, 0, training);
  }
  return labels;
}

std::vector<std::int32_t> labels_of_text(std::string_view text, const std::string& name, const Table& training,
                                         const ReadOptions& options) {
  const char separator = options.separator != '\0' ? options.separator : find_separator(text, name);
  std::vector<Entry> entries =
      separator == '\0' ? one_label_a_line(text, name) : label_column(text, separator, name, training, options);
  TextCodes codes;
  std::vector<std::int32_t> labels;
  for (const Entry& entry : entries) labels.push_back(codes.code(entry.text));
  const auto class_of_code = numbers_or_names(codes.texts(), training);
  for (auto& label : labels) label = class_of_code[static_cast<std::size_t>(label)];

  bool has_header = options.header == Header::yes;
  if (options.header == Header::automatic && !entries.empty()) {
    const std::string& first = entries.front().text;
    has_header = labels.front() < 0 && !is_missing(first, options) &&
                 (is_label_name(first, training, options) || entries.size() == training.rows + 1);
  }
  if (has_header && !entries.empty()) {
    entries.erase(entries.begin());
    labels.erase(labels.begin());
  }
  // Empty lines at the end of the file are no rows, unless they are needed.
  while (labels.size() > training.rows && entries[labels.size() - 1].text.empty()) labels.pop_back();
  if (labels.empty()) throw InvalidInput(fmt::format("{}: holds no labels", name));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (is_missing(entries[i].text, options)) {
      labels[i] = -1;
    } else if (labels[i] < 0) {
      reject_label(name, entries[i].text, i + 1, entries[i].line, training);
    }
  }
  return labels;
}

}  // namespace

std::vector<std::int32_t> read_labels(std::string_view spec, const Table& training, const ReadOptions& options) {
  const std::string name(trim(spec));
  if (name.empty()) throw InvalidInput("the name of a label file is empty");
  std::string bytes = read_bytes(name, options.max_bytes);
  if (looks_like_idx(bytes)) return labels_of_idx(std::move(bytes), name, training);
  check_is_text(bytes, name, "an IDX label file, or text with one label a line");
  return labels_of_text(skip_byte_order_mark(bytes), name, training, options);
}

}  // namespace bilevel::data
