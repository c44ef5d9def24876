// Rows of features with their class labels: what applications train and judge models on.
#pragma once

#include <cstdint>
#include <vector>

#include "bilevel/feature_matrix.hpp"

namespace bilevel {

/// Rows with labels 0..classes-1.
struct LabelledRows {
  FeatureMatrix features;
  std::vector<std::int32_t> labels;
};

}  // namespace bilevel
