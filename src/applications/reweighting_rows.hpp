// From one table of rows to the parts of a reweighting: which rows are whose.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/data.hpp"
#include "bilevel/reweighting.hpp"

namespace bilevel {

/// Rows (0-based) of one table.
struct SourceRows {
  std::string name;
  std::vector<std::uint32_t> rows;
};

struct RowParts {
  std::vector<SourceRows> sources;
  std::vector<std::uint32_t> valid;
};

/// Adds the rows of `more`, which has the same features and classes; not the files that they stand in.
void append_rows(data::Table& table, const data::Table& more);

/// What scales the features: fitted on the rows of all sources and the target's.
data::Standardizer fit_scaling(const data::Table& table, const RowParts& parts, data::Scaling scaling);

/// The parts, scaled; `test` may be null.
ReweightingData assemble(const data::Table& table, const RowParts& parts, const data::Table* test,
                         const data::Standardizer& scaling);

}  // namespace bilevel
