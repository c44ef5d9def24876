#include "data/csv_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "bilevel/status.hpp"
#include "data/csv_lexer.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

constexpr std::size_t kRecordsToLookAt = 200;
// Of a very wide file fewer records are looked at, but two at least.
constexpr std::size_t kFieldsToLookAt = 200'000;

using Records = std::vector<std::vector<std::string>>;

/// Calls each(lexer) with the first records.
template <class Each>
void for_first_records(std::string_view text, char separator, const std::string& name, std::size_t most, Each each) {
  CsvLexer lexer(text, separator, name);
  std::size_t fields = 0;
  for (std::size_t i = 0; i < most && (i < 2 || fields < kFieldsToLookAt) && lexer.next(); ++i) {
    fields += lexer.fields().size();
    each(lexer);
  }
}

Records first_records(std::string_view text, char separator, const std::string& name) {
  Records records;
  std::string buffer;
  for_first_records(text, separator, name, kRecordsToLookAt, [&](const CsvLexer& lexer) {
    auto& record = records.emplace_back();
    record.reserve(lexer.fields().size());
    for (const CsvField& field : lexer.fields()) record.emplace_back(field.value(buffer));
  });
  return records;
}

// The separator that gives the same number of fields, more than one, in the most of the first records. Quotes that do
// not close with a wrong separator rule it out; the error is kept in case none is right.
char detect_separator(std::string_view text, const std::string& name) {
  constexpr std::size_t kRecords = 20;
  char best = '\0';
  std::size_t best_agreement = 0;
  std::string failure;
  for (const char candidate : {',', ';', '\t'}) {
    try {
      std::vector<std::size_t> widths;
      for_first_records(text, candidate, name, kRecords,
                        [&](const CsvLexer& lexer) { widths.push_back(lexer.fields().size()); });
      if (widths.empty()) throw InvalidInput(fmt::format("{}: holds no rows", name));
      const std::size_t width = widths.front();
      if (width < 2) continue;
      const auto agreement = static_cast<std::size_t>(std::count(widths.begin(), widths.end(), width));
      if (agreement > best_agreement) {
        best_agreement = agreement;
        best = candidate;
      }
    } catch (const InvalidInput& error) {
      if (failure.empty()) failure = error.what();
    }
  }
  if (best != '\0') return best;
  if (!failure.empty()) throw InvalidInput(failure);
  throw InvalidInput(fmt::format(
      "{}: the first line has one field; features and a label separated by ',', ';' or a tab are needed", name));
}

bool is_number(const std::string& text) {
  double ignored = 0;
  return parse_number(text, ignored);
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

struct HeaderGuess {
  bool has_header = false;
  bool is_certain = true;
};

// Without numbers and missing values in the first record, it is a header if a column below it holds numbers; in a file
// of text only, if none of its fields occurs again below it.
HeaderGuess detect_header(const Records& records, const ReadOptions& options, const std::vector<std::string>& telling) {
  const auto& first = records.front();
  if (!options.label.empty() && contains(first, options.label)) return {.has_header = true};
  const auto tells = [&](const std::string& text) { return find_usual_column({text}, telling) != kAbsent; };
  if (std::any_of(first.begin(), first.end(), tells)) return {.has_header = true};
  const auto cannot_be_name = [&](const std::string& text) {
    return is_number(text) || (!text.empty() && contains(options.missing, text));
  };
  if (std::any_of(first.begin(), first.end(), cannot_be_name)) return {.has_header = false};
  bool repeats = false;
  for (std::size_t i = 1; i < records.size(); ++i) {
    for (std::size_t j = 0; j < std::min(first.size(), records[i].size()); ++j) {
      if (is_number(records[i][j])) return {.has_header = true};
      repeats = repeats || records[i][j] == first[j];
    }
  }
  return {.has_header = !repeats, .is_certain = false};
}

std::vector<std::string> column_names(const std::vector<std::string>& first, bool has_header, const std::string& name) {
  std::vector<std::string> names;
  names.reserve(first.size());  // so that views of them stay valid
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t j = 0; j < first.size(); ++j) {
    names.push_back(has_header && !first[j].empty() ? first[j] : fmt::format("column{}", j + 1));
    const auto [twin, is_new] = places.try_emplace(names[j], j);
    if (!is_new) {
      throw InvalidInput(fmt::format("{}: the columns {} and {} are both named {}; rename one", name, twin->second + 1,
                                     j + 1, in_quotes(names[j])));
    }
  }
  return names;
}

// Whether the first record of a validation or test file holds names.
bool detect_header_like(const std::vector<std::string>& first, const Table& training) {
  const std::unordered_set<std::string_view> names(first.begin(), first.end());
  std::size_t known = 0;
  bool could_be_data = first.size() == training.encoding.size();
  for (std::size_t j = 0; j < training.encoding.size(); ++j) {
    const Column& column = training.encoding[j];
    if (training.has_header && names.contains(column.name)) ++known;
    if (column.kind == Column::Kind::numeric && j < first.size() && !is_number(first[j])) could_be_data = false;
  }
  if (training.has_header) return 2 * known >= first.size() || (known > 0 && !could_be_data);
  return !could_be_data && std::none_of(first.begin(), first.end(), is_number);
}

void place_by_name(CsvLayout& layout, const std::vector<std::string>& names, const std::string& name) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) places.emplace(names[i], i);
  std::vector<bool> is_used(names.size(), false);
  for (std::size_t j = 0; j < layout.columns.size(); ++j) {
    const Column& column = layout.columns[j];
    const auto found = places.find(column.name);
    if (found != places.end()) {
      layout.place[j] = found->second;
      is_used[found->second] = true;
    } else if (column.kind != Column::Kind::dropped) {
      throw InvalidInput(fmt::format("{}: lacks the column {} of the training data{}; its columns are {}", name,
                                     in_quotes(column.name), nearest_hint(column.name, names),
                                     list_in_quotes(names, 30)));
    }
  }
  std::vector<std::string> extra;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_used[i]) extra.push_back(names[i]);
  }
  if (!extra.empty()) {
    layout.notes.push_back(
        fmt::format("{} not in the training data: {} ignored", counted(extra.size(), "column"), list_in_quotes(extra)));
  }
}

Records look_at(std::string_view text, const std::string& name, const ReadOptions& options, CsvLayout& layout) {
  if (options.separator != '\0' && options.separator != ',' && options.separator != ';' && options.separator != '\t') {
    throw InvalidOption(fmt::format("the separator {} is not one of ',', ';' and a tab",
                                    in_quotes(std::string_view(&options.separator, 1))));
  }
  layout.separator = options.separator != '\0' ? options.separator : detect_separator(text, name);
  Records records = first_records(text, layout.separator, name);
  if (records.empty()) throw InvalidInput(fmt::format("{}: holds no rows", name));
  layout.width = records.front().size();
  return records;
}

}  // namespace

std::size_t find_column(const std::string& wanted, const std::vector<std::string>& names, const std::string& name,
                        std::string_view option) {
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  if (wanted == "last") return names.size() - 1;
  std::uint64_t number = 0;
  if (parse_position(wanted, number) && number <= names.size()) return number - 1;
  throw InvalidInput(fmt::format("{}: has no column {}, named by {}{}; its {} columns are {}", name, in_quotes(wanted),
                                 option, nearest_hint(wanted, names), names.size(), list_in_quotes(names, 30)));
}

std::size_t find_usual_column(const std::vector<std::string>& names, const std::vector<std::string>& usual) {
  for (const std::string& wanted : usual) {
    for (std::size_t j = 0; j < names.size(); ++j) {
      if (equal_ignoring_case(names[j], wanted)) return j;
    }
  }
  return kAbsent;
}

std::size_t find_label(const std::vector<std::string>& names, const std::string& name, const ReadOptions& options) {
  if (!options.label.empty()) return find_column(options.label, names, name, "the option label");
  return find_usual_column(names, {"label", "class", "target", "y"});
}

CsvLayout decide_columns(std::string_view text, const std::string& name, const ReadOptions& options,
                         const std::vector<std::string>& telling) {
  CsvLayout layout;
  const Records records = look_at(text, name, options, layout);
  const HeaderGuess guess = options.header == Header::automatic ? detect_header(records, options, telling)
                                                                : HeaderGuess{options.header == Header::yes};
  layout.has_header = guess.has_header;
  if (layout.width < 2) {
    throw InvalidInput(
        fmt::format("{}: the first line has one field with the separator {}; features and a label are "
                    "needed",
                    name, in_quotes(std::string_view(&layout.separator, 1))));
  }
  if (!layout.has_header && options.header == Header::automatic) {
    layout.notes.push_back(fmt::format("the first line is {}data, so the columns are named 'column1', 'column2', ...",
                                       guess.is_certain ? "" : "taken as "));
  } else if (!guess.is_certain) {
    layout.notes.push_back("the file is all text; its first line is taken as the column names");
  }
  const auto names = column_names(records.front(), layout.has_header, name);
  for (std::size_t j = 0; j < names.size(); ++j) {
    layout.columns.emplace_back().name = names[j];
    layout.place.push_back(j);
  }
  return layout;
}

CsvLayout decide_layout(std::string_view text, const std::string& name, const ReadOptions& options) {
  CsvLayout layout = decide_columns(text, name, options);
  const auto names = names_of(layout);
  std::size_t label = find_label(names, name, options);
  if (label == kAbsent) {
    label = names.size() - 1;
    layout.notes.push_back(
        fmt::format("no label column was named; the last one, {}, is taken", in_quotes(names[label])));
  }
  layout.columns[label].kind = Column::Kind::label;
  for (const std::string& wanted : options.drop) {
    const std::size_t dropped = find_column(wanted, names, name, "the option drop");
    if (dropped == label) {
      throw InvalidOption(fmt::format("the column {} is both the label and to be dropped", in_quotes(names[label])));
    }
    layout.columns[dropped].kind = Column::Kind::dropped;
  }
  return layout;
}

std::vector<std::string> names_of(const CsvLayout& layout) {
  std::vector<std::string> names;
  for (const Column& column : layout.columns) names.push_back(column.name);
  return names;
}

void check_width(const CsvLayout& layout, const CsvLexer& record, std::size_t row, const std::string& name) {
  if (record.fields().size() == layout.width) return;
  throw InvalidInput(fmt::format("{}, line {} (row {}): has {}, but the {} has {}", name, record.line(), row,
                                 counted(record.fields().size(), "field"), layout.has_header ? "header" : "first line",
                                 layout.width));
}

CsvLayout match_layout(std::string_view text, const std::string& name, const Table& training,
                       const ReadOptions& options) {
  CsvLayout layout;
  const Records records = look_at(text, name, options, layout);
  layout.columns = training.encoding;
  layout.place.assign(layout.columns.size(), kAbsent);
  layout.has_header = options.header == Header::automatic ? detect_header_like(records.front(), training)
                                                          : options.header == Header::yes;
  if (layout.has_header && training.has_header) {
    place_by_name(layout, column_names(records.front(), true, name), name);
    return layout;
  }
  if (layout.width != layout.columns.size()) {
    throw InvalidInput(fmt::format("{}: has {}, but the training data has {}", name, counted(layout.width, "column"),
                                   layout.columns.size()));
  }
  for (std::size_t j = 0; j < layout.place.size(); ++j) layout.place[j] = j;
  if (training.has_header) {
    layout.notes.push_back("the first line is data; the columns are taken in the order of the training data");
  }
  return layout;
}

}  // namespace bilevel::data
