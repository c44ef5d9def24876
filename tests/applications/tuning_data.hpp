// Small tables for the tests of the tuning application.
#pragma once

#include <cstdint>
#include <vector>

#include "bilevel/random.hpp"
#include "bilevel/tuning.hpp"

namespace bilevel::testing {

/// Rows of standard normal features.
inline std::vector<std::vector<double>> normal_rows(std::size_t rows, std::size_t features, Random& random) {
  std::vector<std::vector<double>> x(rows, std::vector<double>(features));
  for (auto& row : x) {
    for (auto& entry : row) entry = random.normal();
  }
  return x;
}

inline TuningRows tuning_rows(const std::vector<std::vector<double>>& x, Targets targets) {
  std::vector<double> values;
  for (const auto& row : x) values.insert(values.end(), row.begin(), row.end());
  return {FeatureMatrix::dense(x.size(), x.front().size(), values, Precision::float64), std::move(targets)};
}

/// Targets 2 x_0 - 1.5 x_1 plus noise of deviation `noise`: the other features say nothing.
inline TuningRows two_useful(std::size_t rows, std::size_t features, double noise, Random& random) {
  const auto x = normal_rows(rows, features, random);
  std::vector<double> targets;
  for (const auto& row : x) targets.push_back(2 * row[0] - 1.5 * row[1] + noise * random.normal());
  return tuning_rows(x, targets);
}

/// Class c where x_c is the largest of the first `classes` features, up to noise of deviation `noise`.
inline TuningRows largest_of(std::size_t rows, std::size_t features, std::int32_t classes, double noise,
                             Random& random) {
  const auto x = normal_rows(rows, features, random);
  std::vector<std::int32_t> labels;
  for (const auto& row : x) {
    std::int32_t best = 0;
    double highest = -1e300;
    for (std::int32_t c = 0; c < classes; ++c) {
      const double score = row[static_cast<std::size_t>(c)] + noise * random.normal();
      if (score > highest) {
        highest = score;
        best = c;
      }
    }
    labels.push_back(best);
  }
  return tuning_rows(x, labels);
}

/// One pair of training and validation rows; the final model is fitted to the training rows.
inline TuningData one_split(std::size_t classes, const TuningRows& train, const TuningRows& valid) {
  return {classes, {{train, valid}}, train, {}};
}

}  // namespace bilevel::testing
