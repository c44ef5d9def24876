// What a FeatureMatrix holds.
#pragma once

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

}  // namespace bilevel
