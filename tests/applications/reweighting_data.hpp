// Sources of known quality, for the tests of the reweighting application.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/random.hpp"
#include "bilevel/reweighting.hpp"

namespace bilevel::testing {

/// Class c where feature c is the largest of three; `wrong` of the labels are the next class instead.
inline LabelledRows three_classes(std::size_t rows, double wrong, Random& random) {
  constexpr std::size_t kFeatures = 5;
  std::vector<double> values;
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t begin = values.size();
    for (std::size_t j = 0; j < kFeatures; ++j) values.push_back(random.normal());
    std::int32_t label = 0;
    for (std::int32_t c = 1; c < 3; ++c) {
      if (values[begin + static_cast<std::size_t>(c)] > values[begin + static_cast<std::size_t>(label)]) label = c;
    }
    labels.push_back(random.uniform() < wrong ? (label + 1) % 3 : label);
  }
  return {FeatureMatrix::dense(rows, kFeatures, values), std::move(labels)};
}

/// Two good sources and a larger one whose labels are mostly wrong.
inline ReweightingData good_good_bad(std::uint64_t seed) {
  Random random(seed);
  return {.classes = 3,
          .sources = {{"a", three_classes(150, 0, random)},
                      {"b", three_classes(150, 0, random)},
                      {"bad", three_classes(400, 0.8, random)}},
          .valid = three_classes(60, 0, random),
          .test = three_classes(1000, 0, random)};
}

}  // namespace bilevel::testing
