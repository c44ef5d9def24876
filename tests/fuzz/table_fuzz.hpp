// What the targets of tables share: a table that was read is whole.
#pragma once

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "fuzz/memory_file.hpp"
#include "fuzz/target.hpp"

namespace bilevel::testing {

/// Largest file and feature array: an input of some bytes has no right to more.
inline constexpr std::size_t kMostBytes = std::size_t{1} << 22;

inline void check_table(const data::Table& table) {
  demand(table.labels.size() == table.rows, "each row has a label");
  demand(table.source_lines.size() == table.rows, "each row has a place");
  for (const auto label : table.labels) {
    demand(label >= 0 && static_cast<std::size_t>(label) < table.classes, "each label is a class");
  }
  if (!table.sparse) {
    demand(table.dense.size() == table.rows * table.features, "a dense table is full");
    return;
  }
  demand(table.row_starts.size() == table.rows + 1 && table.row_starts.back() == table.values.size() &&
             table.columns.size() == table.values.size(),
         "sparse rows end where the values do");
  for (const auto column : table.columns) demand(column < table.features, "each column is a feature");
}

/// Reads as training data, and what can be read again as validation data, which must then give the same labels.
inline void read_twice(const std::string& spec, const data::ReadOptions& options) {
  try {
    const auto table = data::read_table(spec, options);
    check_table(table);
    const auto again = data::read_table_like(spec, table, options);
    check_table(again);
    demand(again.labels == table.labels, "training data read like itself has the same labels");
  } catch (const InvalidInput&) {
  }
}

}  // namespace bilevel::testing
