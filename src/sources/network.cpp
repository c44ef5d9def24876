#include "bilevel/network.hpp"

#include <cmath>

#include <fmt/format.h>

#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "sources/network_pass.hpp"

namespace bilevel {

namespace {

void check_option(const char* name, Index value, Index least) {
  constexpr Index kMost = 1'000'000;
  if (value >= least && value <= kMost) return;
  throw InvalidOption(fmt::format("a network's {} must be in {}..{}, but is {}", name, least, kMost, value));
}

}  // namespace

std::string_view to_string(NetworkLoss loss) {
  return loss == NetworkLoss::cross_entropy ? "cross_entropy" : "squared";
}

Network::Network(const NetworkOptions& options) : options_(options) {
  check_option("inputs", options.inputs, 1);
  check_option("hidden", options.hidden, 0);
  check_option("outputs", options.outputs, options.loss == NetworkLoss::cross_entropy ? 2 : 1);
}

Index Network::dim_y() const {
  const auto& o = options_;
  return o.hidden == 0 ? o.outputs * (o.inputs + 1) : o.hidden * (o.inputs + 1) + o.outputs * (o.hidden + 1);
}

Vec Network::start(std::uint64_t seed) const {
  Vec y = Vec::Zero(dim_y());
  if (options_.hidden == 0) return y;
  Random random(seed);
  MutableNetworkWeights weights(y.data(), options_);
  const auto fill = [&](MutableNetworkWeights::Matrix& matrix) {
    const double deviation = 1 / std::sqrt(static_cast<double>(matrix.cols()));
    for (Index i = 0; i < matrix.rows(); ++i) {
      for (Index j = 0; j < matrix.cols(); ++j) matrix(i, j) = deviation * random.normal();
    }
  };
  fill(weights.bottom);
  fill(weights.top);
  return y;
}

Table Network::predict_scores(const Table& rows, const Vec& y) const {
  if (rows.cols() != options_.inputs || y.size() != dim_y()) {
    throw DimensionMismatch(fmt::format("a network of {} inputs and {} weights was given rows of {} and y of length {}",
                                        options_.inputs, dim_y(), rows.cols(), y.size()));
  }
  const ConstNetworkWeights weights(y.data(), options_);
  Table scores;
  if (options_.hidden > 0) {
    Table hidden = rows * weights.bottom.transpose();
    hidden.rowwise() += weights.bottom_shift.transpose();
    hidden = hidden.array().tanh();
    scores = hidden * weights.top.transpose();
  } else {
    scores = rows * weights.top.transpose();
  }
  scores.rowwise() += weights.top_shift.transpose();
  return scores;
}

std::vector<std::int32_t> Network::predict_labels(const Table& rows, const Vec& y) const {
  const Table scores = predict_scores(rows, y);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows.rows()));
  for (Index i = 0; i < rows.rows(); ++i) {
    Index best = 0;
    for (Index c = 1; c < scores.cols(); ++c) {
      if (scores(i, c) > scores(i, best)) best = c;
    }
    labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(best);
  }
  return labels;
}

double Network::accuracy(const Table& rows, std::span<const std::int32_t> labels, const Vec& y) const {
  if (static_cast<std::size_t>(rows.rows()) != labels.size() || labels.empty()) {
    throw DimensionMismatch(
        fmt::format("an accuracy needs one label for each row, but got {} for {}", labels.size(), rows.rows()));
  }
  const auto predicted = predict_labels(rows, y);
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

Table one_hot(std::span<const std::int32_t> labels, Index classes) {
  Table table = Table::Zero(static_cast<Index>(labels.size()), classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      throw InvalidInput(fmt::format("label {} of row {} is not in 0..{}", labels[i], i + 1, classes - 1));
    }
    table(static_cast<Index>(i), labels[i]) = 1;
  }
  return table;
}

}  // namespace bilevel
