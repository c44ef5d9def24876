// Small random data sets for the tests of linear models.
#pragma once

#include <cstdint>
#include <vector>

#include "bilevel/linear_models.hpp"
#include "bilevel/random.hpp"
#include "taylor.hpp"

namespace bilevel::testing {

/// N x d standard normal features (a share of them zero), labels and targets.
struct LinearData {
  LinearData(std::size_t row_count, std::size_t feature_count, std::size_t class_count, std::uint64_t seed,
             double zeros = 0)
      : rows(row_count), features(feature_count), classes(class_count) {
    Random random(seed);
    for (std::size_t k = 0; k < rows * features; ++k) {
      const bool is_zero = random.uniform() < zeros;
      values.push_back(is_zero ? 0 : random.normal());
    }
    for (std::size_t i = 0; i < rows; ++i) {
      labels.push_back(static_cast<std::int32_t>(random.below(classes)));
      targets.push_back(random.normal());
    }
  }

  FeatureMatrix dense(Precision precision = Precision::float64) const {
    return FeatureMatrix::dense(rows, features, std::span<const double>(values), precision);
  }

  FeatureMatrix sparse(Precision precision = Precision::float64) const {
    std::vector<std::size_t> starts{0};
    std::vector<std::uint32_t> columns;
    std::vector<double> stored;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < features; ++j) {
        if (values[i * features + j] == 0) continue;
        columns.push_back(static_cast<std::uint32_t>(j));
        stored.push_back(values[i * features + j]);
      }
      starts.push_back(stored.size());
    }
    return FeatureMatrix::sparse(features, starts, columns, std::span<const double>(stored), precision);
  }

  Targets targets_for(LinearLoss loss) const {
    return loss == LinearLoss::squared ? Targets(targets) : Targets(labels);
  }

  std::size_t rows, features, classes;
  std::vector<double> values;
  std::vector<std::int32_t> labels;
  std::vector<double> targets;
};

}  // namespace bilevel::testing
