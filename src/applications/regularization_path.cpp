#include "applications/regularization_path.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "bilevel/lower.hpp"

namespace bilevel {

namespace {

constexpr std::array<double, 9> kGrid{1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5};

/// The weighted follower as an objective: fixed weights are row logits that nobody moves.
class WeightedFit {
 public:
  WeightedFit(const LabelledRows& rows, const Vec& weights, const PathOptions& options)
      : rows_(rows), options_(options), logits_(weights.size()) {
    // sigmoid(+-40) is 1 or 4e-18: below rounding in both precisions.
    for (Index i = 0; i < weights.size(); ++i) {
      const double w = std::clamp(weights[i], 1e-17, 1.0);
      logits_[i] = w >= 1.0 ? 40.0 : std::log(w) - std::log1p(-w);
    }
  }

  Vec minimise(double regularization, const Vec& start) const {
    const TrainingOptions training{.model = options_.model,
                                   .row_weights = true,
                                   .regularization = regularization,
                                   .penalty_norm = options_.penalty_norm,
                                   .penalize_intercept = options_.penalize_intercept};
    const auto objective = training_objective(rows_.features, rows_.labels, training);
    // Accuracy is what is compared, and it does not see digits beyond these.
    const LowerSolver::Options solver{.tolerance = 1e-4, .max_iterations = 100, .interrupt = options_.interrupt};
    return Lbfgs().solve(*objective, logits_, start, solver).y;
  }

 private:
  const LabelledRows& rows_;
  const PathOptions& options_;
  Vec logits_;
};

/// Where the accuracy is highest; the strongest regularization among equals.
std::size_t most_accurate(const std::vector<double>& accuracy) {
  return static_cast<std::size_t>(std::max_element(accuracy.begin(), accuracy.end()) - accuracy.begin());
}

Vec ones(const LabelledRows& rows) { return Vec::Ones(static_cast<Index>(rows.labels.size())); }

LabelledRows pick(const LabelledRows& rows, const std::vector<std::uint32_t>& indices) {
  LabelledRows picked{rows.features.subset(indices), {}};
  picked.labels.reserve(indices.size());
  for (const auto i : indices) picked.labels.push_back(rows.labels[i]);
  return picked;
}

}  // namespace

FittedModel fit_path(const LabelledRows& rows, const Vec& weights, const LabelledRows& chooser,
                     const PathOptions& options) {
  constexpr std::size_t kPatience = 3;
  const LinearModel model(rows.features.features(), options.model);
  const WeightedFit fit(rows, weights, options);
  std::vector<Vec> fits{Vec::Zero(model.dim_y())};
  std::vector<double> accuracy;
  while (accuracy.size() < kGrid.size() &&
         (accuracy.empty() || accuracy.size() <= most_accurate(accuracy) + kPatience)) {
    fits.push_back(fit.minimise(kGrid[accuracy.size()], fits.back()));
    accuracy.push_back(model.accuracy(chooser.features, chooser.labels, fits.back()));
    if (options.interrupt && options.interrupt->load()) break;
  }
  const std::size_t chosen = most_accurate(accuracy);
  FittedModel result;
  result.y = std::move(fits[chosen + 1]);
  result.regularization = kGrid[chosen];
  result.trusted_accuracy = accuracy[chosen];
  return result;
}

FittedModel fit_cross_validated(const LabelledRows& rows, std::size_t folds, const PathOptions& options) {
  const std::size_t count = rows.labels.size();
  folds = std::min(folds, count);
  const LinearModel model(rows.features.features(), options.model);
  // Dealt out class by class: each fold holds every class in proportion, in whatever order the rows stand.
  std::vector<std::uint32_t> by_class(count);
  std::iota(by_class.begin(), by_class.end(), 0U);
  std::stable_sort(by_class.begin(), by_class.end(), [&](auto a, auto b) { return rows.labels[a] < rows.labels[b]; });
  std::vector<double> accuracy(kGrid.size());
  for (std::size_t fold = 0; fold < folds && folds > 1; ++fold) {
    std::vector<std::uint32_t> kept, left_out;
    for (std::size_t i = 0; i < count; ++i) (i % folds == fold ? left_out : kept).push_back(by_class[i]);
    const auto training = pick(rows, kept), held_out = pick(rows, left_out);
    const WeightedFit fit(training, ones(training), options);
    Vec y = Vec::Zero(model.dim_y());
    for (std::size_t i = 0; i < kGrid.size(); ++i) {
      y = fit.minimise(kGrid[i], y);
      accuracy[i] += model.accuracy(held_out.features, held_out.labels, y) * static_cast<double>(left_out.size());
      if (options.interrupt && options.interrupt->load()) break;
    }
  }
  const std::size_t chosen = most_accurate(accuracy);
  FittedModel result;
  result.regularization = kGrid[chosen];
  result.trusted_accuracy = accuracy[chosen] / static_cast<double>(count);
  result.y = WeightedFit(rows, ones(rows), options).minimise(result.regularization, Vec::Zero(model.dim_y()));
  return result;
}

}  // namespace bilevel
