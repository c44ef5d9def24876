#include "applications/tuning_targets.hpp"

#include <cmath>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "data/csv_layout.hpp"
#include "data/csv_lexer.hpp"
#include "data/csv_table.hpp"
#include "data/gzip_file.hpp"
#include "data/libsvm.hpp"
#include "data/number.hpp"

namespace bilevel {

namespace {

std::size_t target_place(const data::CsvLayout& layout) {
  for (std::size_t j = 0; j < layout.columns.size(); ++j) {
    if (layout.columns[j].kind == data::Column::Kind::label) return layout.place[j];
  }
  return data::kAbsent;
}

std::string csv_bytes(const std::string& spec, std::size_t max_bytes) {
  auto bytes = data::read_bytes(spec, max_bytes);
  data::check_is_text(bytes, spec, "CSV");
  return bytes;
}

/// Calls each(field, row, line) with the target's field of every data row.
template <class Each>
void for_targets(std::string_view text, const std::string& spec, const data::CsvLayout& layout, const Each& each) {
  const std::size_t place = target_place(layout);
  data::CsvLexer lexer(text, layout.separator, spec);
  if (layout.has_header) lexer.next();
  for (std::size_t row = 1; lexer.next(); ++row) {
    if (place < lexer.fields().size()) each(lexer.fields()[place], row, lexer.line());
  }
}

bool is_finite_number(std::string_view text, double& value) {
  return data::parse_number(text, value) && std::isfinite(value);
}

}  // namespace

bool is_csv(const std::string& spec) {
  // A pair of files has a comma that is not in the name of one file, and read_beginning would not find it.
  constexpr std::size_t kEnough = 1 << 16;
  std::string bytes;
  try {
    bytes = data::read_beginning(spec, kEnough);
  } catch (const InvalidInput&) {
    return false;  // the reader that comes next says why
  }
  const auto name = std::string_view(spec).substr(0, spec.size() - (spec.ends_with(".gz") ? 3 : 0));
  if (name.ends_with(".libsvm") || name.ends_with(".svm")) return false;
  return bytes.find('\0') == std::string::npos && !data::looks_like_libsvm(data::skip_byte_order_mark(bytes));
}

TargetColumn read_target_column(const std::string& spec, const data::ReadOptions& options) {
  const auto bytes = csv_bytes(spec, options.max_bytes);
  const auto text = data::skip_byte_order_mark(bytes);
  const auto layout = data::decide_layout(text, spec, options);
  TargetColumn column;
  for (const auto& each : layout.columns) {
    if (each.kind == data::Column::Kind::label) column.name = each.name;
  }
  std::string buffer;
  std::set<std::string> different;
  column.all_numbers = true;
  for_targets(text, spec, layout, [&](const data::CsvField& field, std::size_t, std::size_t) {
    column.texts.emplace_back(field.value(buffer));
    const auto& value = column.texts.back();
    double number = 0;
    const bool is_number = is_finite_number(value, number);
    column.all_numbers = column.all_numbers && is_number;
    column.has_fractions = column.has_fractions || (is_number && number != std::floor(number));
    different.insert(value);
  });
  column.different = different.size();
  return column;
}

RealTable read_real_table(const std::string& spec, const data::Table* training, const data::ReadOptions& options) {
  const auto bytes = csv_bytes(spec, options.max_bytes);
  const auto text = data::skip_byte_order_mark(bytes);
  const auto layout = training == nullptr ? data::decide_layout(text, spec, options)
                                          : data::match_layout(text, spec, *training, options);
  RealTable result;
  // The table's reader wants classes: each target's text gives way to "0" or "1" in turn, all else stays in its place,
  // so that what the reader says about the file holds.
  std::string as_classes;
  as_classes.reserve(text.size());
  const char* copied = text.data();
  std::string buffer;
  for_targets(text, spec, layout, [&](const data::CsvField& field, std::size_t row, std::size_t line) {
    const std::string value(field.value(buffer));
    double number = 0;
    if (!is_finite_number(value, number)) {
      throw InvalidInput(
          fmt::format("{}, row {} (line {}): the target {} is not a finite number; regression needs "
                      "numbers, --task classify takes texts",
                      spec, row, line, data::in_quotes(value)));
    }
    result.targets.push_back(number);
    as_classes.append(copied, field.raw.data());
    as_classes += row % 2 == 0 ? '0' : '1';
    copied = field.raw.data() + field.raw.size();
  });
  as_classes.append(copied, text.data() + text.size());
  if (training == nullptr && result.targets.size() < 2) {
    throw InvalidInput(fmt::format("{}: holds {} with a target; at least two are needed", spec,
                                   data::counted(result.targets.size(), "row")));
  }
  result.table.source = spec;
  data::read_csv(result.table, as_classes, spec, training, options);
  return result;
}

}  // namespace bilevel
