#include "bilevel/network.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "sources/lowest_layer.hpp"
#include "sources/network_checks.hpp"
#include "sources/network_pass.hpp"

namespace bilevel {

namespace {

void check_option(const char* name, Index value, Index least) {
  constexpr Index kMost = 1'000'000;
  if (value >= least && value <= kMost) return;
  throw InvalidOption(fmt::format("a network's {} must be in {}..{}, but is {}", name, least, kMost, value));
}

void check_shapes(const Network& network, Index features, const Vec& y) {
  if (features == network.options().inputs && y.size() == network.dim_y()) return;
  throw DimensionMismatch(fmt::format("a network of {} inputs and {} weights was given rows of {} and y of length {}",
                                      network.options().inputs, network.dim_y(), features, y.size()));
}

template <class Real>
Table scores_of_blocks(const NetworkOptions& options, const FeatureMatrix& rows, const Vec& y) {
  using kernels::kBlockRows;
  const ConstNetworkWeights weights(y.data(), options);
  const UpperLayers<Real> upper(weights.upper);
  const sources::LowestLayer<Real> layer(rows, lowest_size(options));
  const auto packed = layer.pack(weights.lowest);
  typename sources::LowestLayer<Real>::Buffer below(layer.block_size());
  Units<Real> activations;
  Table scores(static_cast<Index>(rows.rows()), options.outputs);
  for (std::size_t begin = 0; begin < rows.rows(); begin += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, rows.rows() - begin);
    layer.scores({begin, count, nullptr}, packed, below);
    scores.middleRows(static_cast<Index>(begin), static_cast<Index>(count)) =
        network_scores<Real>(upper, layer.block(below, count), activations).template cast<double>();
  }
  return scores;
}

std::vector<std::int32_t> greatest_scores(const Table& scores) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(scores.rows()));
  for (Index i = 0; i < scores.rows(); ++i) {
    Index best = 0;
    for (Index c = 1; c < scores.cols(); ++c) {
      if (scores(i, c) > scores(i, best)) best = c;
    }
    labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(best);
  }
  return labels;
}

void check_count(std::size_t rows, std::size_t labels) {
  if (rows == labels && rows > 0) return;
  throw DimensionMismatch(fmt::format("an accuracy needs one label for each row, but got {} for {}", labels, rows));
}

double share_of_equals(std::span<const std::int32_t> predicted, std::span<const std::int32_t> labels) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
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
  const auto fill = [&](UpperWeights<double>::Matrix& matrix) {
    const double deviation = 1 / std::sqrt(static_cast<double>(matrix.cols()));
    for (Index i = 0; i < matrix.rows(); ++i) {
      for (Index j = 0; j < matrix.cols(); ++j) matrix(i, j) = deviation * random.normal();
    }
  };
  fill(weights.lowest);
  fill(weights.upper.top);
  return y;
}

Table Network::predict_scores(const Table& rows, const Vec& y) const {
  check_shapes(*this, rows.cols(), y);
  const ConstNetworkWeights weights(y.data(), options_);
  const Units<double> below = rows * weights.lowest.transpose();
  Units<double> activations;
  return network_scores<double>(UpperLayers<double>(weights.upper), below, activations);
}

Table Network::predict_scores(const FeatureMatrix& rows, const Vec& y) const {
  check_shapes(*this, static_cast<Index>(rows.features()), y);
  return rows.precision() == Precision::float32 ? scores_of_blocks<float>(options_, rows, y)
                                                : scores_of_blocks<double>(options_, rows, y);
}

std::vector<std::int32_t> Network::predict_labels(const Table& rows, const Vec& y) const {
  return greatest_scores(predict_scores(rows, y));
}

std::vector<std::int32_t> Network::predict_labels(const FeatureMatrix& rows, const Vec& y) const {
  return greatest_scores(predict_scores(rows, y));
}

double Network::accuracy(const Table& rows, std::span<const std::int32_t> labels, const Vec& y) const {
  check_count(static_cast<std::size_t>(rows.rows()), labels.size());
  return share_of_equals(predict_labels(rows, y), labels);
}

double Network::accuracy(const FeatureMatrix& rows, std::span<const std::int32_t> labels, const Vec& y) const {
  check_count(rows.rows(), labels.size());
  return share_of_equals(predict_labels(rows, y), labels);
}

Table one_hot(std::span<const std::int32_t> labels, Index classes) {
  check_labels(labels, classes);
  Table table = Table::Zero(static_cast<Index>(labels.size()), classes);
  for (std::size_t i = 0; i < labels.size(); ++i) table(static_cast<Index>(i), labels[i]) = 1;
  return table;
}

}  // namespace bilevel
