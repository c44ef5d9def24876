// LinearModel: names, sizes and predictions.
#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "bilevel/linear_models.hpp"
#include "bilevel/status.hpp"
#include "kernels/thread_team.hpp"
#include "sources/feature_storage.hpp"
#include "sources/parameters.hpp"

namespace bilevel {

namespace {

using kernels::kBlockRows;

void check_shapes(const LinearModel& model, const FeatureMatrix& features, const Vec& y) {
  if (features.features() != model.features()) {
    throw DimensionMismatch(fmt::format("the model needs rows of {} features, but the feature matrix provides {}",
                                        model.features(), features.features()));
  }
  if (y.size() != model.dim_y()) {
    throw DimensionMismatch(
        fmt::format("the model needs y of length {}, but the call provides length {}", model.dim_y(), y.size()));
  }
}

void require_classes(const LinearModel& model, std::string_view what) {
  if (model.options().loss == LinearLoss::squared) {
    throw InvalidOption(fmt::format("{} needs a model with classes, but the loss is squared", what));
  }
}

template <class Real>
void fill_scores(const LinearModel& model, const kernels::FeatureRows<Real>& data, const Vec& y,
                 LinearModel::Table& table) {
  const sources::Parameters<Real> parameters(model, data.weight_stride(), {&y});
  kernels::ThreadTeam team(model.options().threads);
  team.run([&](std::size_t part) {
    kernels::AlignedBuffer<Real> Z(parameters.rows() * kBlockRows);
    const auto share = kernels::row_share(data.rows(), team.size(), part);
    for (std::size_t begin = share.begin; begin < share.end; begin += kBlockRows) {
      const std::size_t count = std::min(kBlockRows, share.end - begin);
      parameters.scores(data, begin, count, Z.data());
      for (std::size_t r = 0; r < count; ++r) {
        double* row = table.data() + (begin + r) * parameters.rows();
        for (std::size_t c = 0; c < parameters.rows(); ++c) row[c] = static_cast<double>(Z[c * kBlockRows + r]);
      }
    }
  });
}

}  // namespace

std::string_view to_string(LinearLoss loss) {
  switch (loss) {
    case LinearLoss::softmax: return "softmax";
    case LinearLoss::logistic: return "logistic";
    case LinearLoss::squared: return "squared";
  }
  return "unknown";
}

std::string_view to_string(PenaltyScale scale) {
  switch (scale) {
    case PenaltyScale::fixed: return "fixed";
    case PenaltyScale::single: return "single";
    case PenaltyScale::per_class: return "per_class";
    case PenaltyScale::per_feature: return "per_feature";
    case PenaltyScale::per_group: return "per_group";
  }
  return "unknown";
}

LinearModel::LinearModel(std::size_t features, const LinearModelOptions& options)
    : features_(features), options_(options) {
  if (features == 0) throw DimensionMismatch("a linear model needs at least one feature");
  if (options.threads > 1024) {
    throw InvalidOption(fmt::format("threads is {}, but must be 0 (automatic) or 1..1024", options.threads));
  }
  if (options.loss == LinearLoss::softmax && options.classes < 2) {
    throw InvalidOption(fmt::format("classes is {}, but the softmax loss needs at least 2", options.classes));
  }
  if (options.loss == LinearLoss::logistic && options.classes != 2) {
    throw InvalidOption(
        fmt::format("classes is {}, but the logistic loss needs exactly 2; use softmax for more", options.classes));
  }
}

Index LinearModel::dim_y() const { return static_cast<Index>(scores() * (features_ + (options_.intercept ? 1 : 0))); }

LinearModel::Table LinearModel::predict_scores(const FeatureMatrix& features, const Vec& y) const {
  check_shapes(*this, features, y);
  Table table(static_cast<Index>(features.rows()), static_cast<Index>(scores()));
  std::visit([&](const auto& rows) { fill_scores(*this, *rows, y, table); }, features.storage().rows);
  return table;
}

LinearModel::Table LinearModel::predict_probabilities(const FeatureMatrix& features, const Vec& y) const {
  require_classes(*this, "predict_probabilities");
  Table table = predict_scores(features, y);
  if (options_.loss == LinearLoss::logistic) {
    Table two = Table::Zero(table.rows(), 2);
    two.col(1) = table.col(0);
    table = std::move(two);
  }
  for (Index i = 0; i < table.rows(); ++i) {
    auto row = table.row(i).array();
    row = (row - row.maxCoeff()).exp();
    row /= row.sum();
  }
  return table;
}

std::vector<std::int32_t> LinearModel::predict_labels(const FeatureMatrix& features, const Vec& y) const {
  require_classes(*this, "predict_labels");
  const Table table = predict_scores(features, y);
  std::vector<std::int32_t> labels(features.rows());
  for (Index i = 0; i < table.rows(); ++i) {
    Index best = 0;
    if (options_.loss == LinearLoss::logistic) {
      best = table(i, 0) > 0 ? 1 : 0;
    } else {
      table.row(i).maxCoeff(&best);
    }
    labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(best);
  }
  return labels;
}

double LinearModel::accuracy(const FeatureMatrix& features, std::span<const std::int32_t> labels, const Vec& y) const {
  if (labels.size() != features.rows()) {
    throw DimensionMismatch(
        fmt::format("accuracy needs one label for each of {} rows, but {} are given", features.rows(), labels.size()));
  }
  const auto predicted = predict_labels(features, y);
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predicted[i] == labels[i] ? 1u : 0u;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace bilevel
