// From the rows of a table to the features that the linear models compute on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bilevel/data.hpp"
#include "bilevel/feature_matrix.hpp"

namespace bilevel {

/// The given rows (0-based, in that order), scaled on the way, so that no scaled copy of the table is made.
FeatureMatrix table_features(const data::Table& table, std::span<const std::uint32_t> rows,
                             const data::Standardizer& scaling, Precision precision);

/// All rows.
FeatureMatrix table_features(const data::Table& table, const data::Standardizer& scaling, Precision precision);

/// Throws InvalidInput if a linear model on the table would have so many parameters, one for each feature and class,
/// that no machine holds the vectors of a run; before any of them is allocated.
void check_model_size(const data::Table& table);

/// float64 up to two million numbers, where it costs nothing to speak of, else float32, which is twice as fast.
Precision automatic_precision(std::size_t numbers);

}  // namespace bilevel
