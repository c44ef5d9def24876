// Small data to clean: classes as Gaussian clouds on a circle, with some labels wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bilevel::end_to_end {

struct Sample {
  std::vector<std::vector<double>> rows;  // N x features
  std::vector<std::size_t> truth, given;  // N class numbers
};

struct SampleOptions {
  std::size_t rows = 150, features = 2, classes = 3;
  double wrong = 0.25;  // share of given labels that are not the truth
  std::uint64_t seed = 1;
};

Sample sample(const SampleOptions& options);

/// "x1,x2,kind" with classes named "class0", "class1", ...
std::string csv(const Sample& sample);
std::string libsvm(const Sample& sample);
/// One true label a line.
std::string truths(const Sample& sample);

}  // namespace bilevel::end_to_end
