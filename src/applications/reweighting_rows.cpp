#include "applications/reweighting_rows.hpp"

#include "applications/table_features.hpp"

namespace bilevel {

namespace {

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::vector<std::uint32_t> all_rows(const RowParts& parts) {
  std::vector<std::uint32_t> rows = parts.valid;
  for (const auto& source : parts.sources) append(rows, source.rows);
  return rows;
}

std::size_t stored_numbers(const data::Table& table) { return table.sparse ? table.values.size() : table.dense.size(); }

LabelledRows labelled_rows(const data::Table& table, const std::vector<std::uint32_t>& rows,
                           const data::Standardizer& scaling, Precision precision) {
  LabelledRows result{table_features(table, rows, scaling, precision), {}};
  for (const auto row : rows) result.labels.push_back(table.labels[row]);
  return result;
}

}  // namespace

void append_rows(data::Table& table, const data::Table& more) {
  append(table.dense, more.dense);
  append(table.columns, more.columns);
  append(table.values, more.values);
  if (table.sparse) {
    const auto stored = table.row_starts.back();
    for (std::size_t i = 1; i < more.row_starts.size(); ++i) table.row_starts.push_back(stored + more.row_starts[i]);
  }
  append(table.labels, more.labels);
  append(table.source_lines, more.source_lines);
  table.rows += more.rows;
}

data::Standardizer fit_scaling(const data::Table& table, const RowParts& parts, data::Scaling scaling) {
  return data::fit_standardizer(table, all_rows(parts), scaling);
}

ReweightingData assemble(const data::Table& table, const RowParts& parts, const data::Table* test,
                         const data::Standardizer& scaling) {
  const auto precision = automatic_precision(stored_numbers(table));
  ReweightingData data{.classes = table.classes,
                       .sources = {},
                       .valid = labelled_rows(table, parts.valid, scaling, precision),
                       .test = {}};
  for (const auto& [name, rows] : parts.sources) {
    data.sources.push_back({name, labelled_rows(table, rows, scaling, precision)});
  }
  if (test != nullptr) data.test = LabelledRows{table_features(*test, scaling, precision), test->labels};
  return data;
}

}  // namespace bilevel
