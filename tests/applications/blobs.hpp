// Gaussian blobs with wrong labels, for the tests of the cleaning application.
#pragma once

#include <cstdint>
#include <vector>

#include "bilevel/cleaning.hpp"
#include "bilevel/data.hpp"
#include "bilevel/random.hpp"

namespace bilevel::testing {

struct Blobs {
  std::size_t classes = 3;
  std::size_t features = 5;
  std::size_t train_rows = 600, trusted_rows = 150, test_rows = 300;
  /// Class c is centred at distance * e_c with unit deviation: two classes are confused with probability
  /// Q(distance / sqrt 2), Q the tail of the normal distribution.
  double distance = 4;
  double wrong = 0.3;  // share of the training labels
  Precision precision = Precision::float32;
  std::uint64_t seed = 1;

  /// Classes in turn, so that their numbers are equal.
  LabelledRows rows(std::size_t count, Random& random) const {
    std::vector<std::int32_t> labels(count);
    for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<std::int32_t>(i % classes);
    const auto fill = [&](std::size_t i, std::span<double> x) {
      for (auto& entry : x) entry = random.normal();
      x[static_cast<std::size_t>(labels[i])] += distance;
    };
    return {FeatureMatrix::dense(count, features, fill, precision), std::move(labels)};
  }

  CleaningData make() const {
    Random random(seed);
    auto train = rows(train_rows, random);
    auto trusted = rows(trusted_rows, random);
    auto test = rows(test_rows, random);
    auto truth = train.labels;
    train.labels = data::corrupt_labels(truth, classes, wrong, data::Corruption::uniform, seed).labels;
    return {classes, std::move(train), std::move(trusted), std::move(test), std::move(truth)};
  }
};

}  // namespace bilevel::testing
