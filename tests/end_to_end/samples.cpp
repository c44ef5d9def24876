#include "end_to_end/samples.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "bilevel/random.hpp"

namespace bilevel::end_to_end {

Sample sample(const SampleOptions& options) {
  constexpr double kRadius = 2.5;  // of the circle, in deviations of a cloud: few rows lie nearer to another class
  Random random(options.seed);
  Sample made;
  for (std::size_t i = 0; i < options.rows; ++i) {
    const auto truth = i % options.classes;
    std::vector<double> row(options.features);
    for (auto& value : row) value = random.normal();
    const double angle = 2 * std::numbers::pi * static_cast<double>(truth) / static_cast<double>(options.classes);
    row[0] += kRadius * std::cos(angle);
    if (options.features > 1) row[1] += kRadius * std::sin(angle);
    made.rows.push_back(std::move(row));
    made.truth.push_back(truth);
  }
  made.given = made.truth;
  const auto order = random.permutation(options.rows);
  const auto wrong = static_cast<std::size_t>(std::lround(options.wrong * static_cast<double>(options.rows)));
  for (std::size_t k = 0; k < wrong; ++k) {
    auto& label = made.given[order[k]];
    label = (label + 1 + k % (options.classes - 1)) % options.classes;
  }
  return made;
}

std::string csv(const Sample& sample) {
  std::string text;
  for (std::size_t j = 0; j < sample.rows.front().size(); ++j) text += fmt::format("x{},", j + 1);
  text += "kind\n";
  for (std::size_t i = 0; i < sample.rows.size(); ++i) {
    text += fmt::format("{:.4f},class{}\n", fmt::join(sample.rows[i], ","), sample.given[i]);
  }
  return text;
}

std::string libsvm(const Sample& sample) {
  std::string text;
  for (std::size_t i = 0; i < sample.rows.size(); ++i) {
    text += fmt::format("{}", sample.given[i]);
    for (std::size_t j = 0; j < sample.rows[i].size(); ++j) text += fmt::format(" {}:{:.4f}", j + 1, sample.rows[i][j]);
    text += "\n";
  }
  return text;
}

std::string truths(const Sample& sample) {
  std::string text;
  for (const auto truth : sample.truth) text += fmt::format("class{}\n", truth);
  return text;
}

}  // namespace bilevel::end_to_end
