// What a FeatureMatrix holds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "bilevel/feature_matrix.hpp"
#include "kernels/feature_rows.hpp"

namespace bilevel {

struct FeatureMatrix::Storage {
  template <class Real>
  using Rows = std::shared_ptr<const kernels::FeatureRows<Real>>;

  std::variant<Rows<float>, Rows<double>> rows;
  bool is_sparse = false;
  double entries_per_row = 0;  // stored ones, on average

  // A subset knows the whole and its rows there, so that subsets of subsets do not nest.
  std::shared_ptr<const Storage> whole;
  std::vector<std::uint32_t> indices;
};

namespace sources {

/// Blocks of rows of `features` that may be summed in float before the sum moves on to double, which costs about as
/// much as adding one dense row. Every 8 blocks = 512 rows keep that below 1 % of a dense pass and the rounding of the
/// sum near 1e-6. Sparse rows touch the sum less, so wait longer: until it costs a fiftieth of the rows before it, but
/// not beyond 64 blocks, where an entry that every row stores is still good to 2e-6, unless it would cost over a
/// quarter.
inline std::size_t blocks_between_flushes(const FeatureMatrix& features) {
  const double share_touched = features.storage().entries_per_row / static_cast<double>(features.features());
  const double dense_rows_a_block = std::max(share_touched, 1e-9) * static_cast<double>(kernels::kBlockRows);
  return static_cast<std::size_t>(std::max({8.0, std::min(64.0, 50 / dense_rows_a_block), 4 / dense_rows_a_block}));
}

}  // namespace sources

}  // namespace bilevel
