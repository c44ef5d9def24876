#include "applications/regularization_path.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "bilevel/lower.hpp"

namespace bilevel {

namespace {

constexpr std::array<double, 10> kGrid{1e-1, 3e-2, 1e-2, 5e-3, 2e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5};

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
                                   .penalty_norm = options_.penalty_norm};
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

Vec ones(const LabelledRows& rows) { return Vec::Ones(static_cast<Index>(rows.labels.size())); }

LabelledRows pick(const LabelledRows& rows, const std::vector<std::uint32_t>& indices) {
  LabelledRows picked{rows.features.subset(indices), {}};
  picked.labels.reserve(indices.size());
  for (const auto i : indices) picked.labels.push_back(rows.labels[i]);
  return picked;
}

}  // namespace

std::span<const double> regularization_grid() { return kGrid; }

FittedModel fit_path(const LabelledRows& rows, const Vec& weights, const LabelledRows& chooser,
                     const PathOptions& options) {
  constexpr int kPatience = 3;
  const LinearModel model(rows.features.features(), options.model);
  const WeightedFit fit(rows, weights, options);
  FittedModel best;
  Vec y = Vec::Zero(model.dim_y());
  int worse = 0;
  for (const double c : kGrid) {
    y = fit.minimise(c, y);
    const double accuracy = model.accuracy(chooser.features, chooser.labels, y);
    if (best.y.size() == 0 || accuracy > best.trusted_accuracy) {
      best.y = y;
      best.regularization = c;
      best.trusted_accuracy = accuracy;
      worse = 0;
    } else if (++worse == kPatience) {
      break;
    }
    if (options.interrupt && options.interrupt->load()) break;
  }
  return best;
}

FittedModel fit_cross_validated(const LabelledRows& rows, std::size_t folds, const PathOptions& options) {
  const std::size_t count = rows.labels.size();
  folds = std::min(folds, count);
  const LinearModel model(rows.features.features(), options.model);
  std::array<double, kGrid.size()> accuracy{};
  for (std::size_t fold = 0; fold < folds && folds > 1; ++fold) {
    std::vector<std::uint32_t> kept, left_out;
    for (std::uint32_t i = 0; i < count; ++i) (i % folds == fold ? left_out : kept).push_back(i);
    const auto training = pick(rows, kept), held_out = pick(rows, left_out);
    const WeightedFit fit(training, ones(training), options);
    Vec y = Vec::Zero(model.dim_y());
    for (std::size_t i = 0; i < kGrid.size(); ++i) {
      y = fit.minimise(kGrid[i], y);
      accuracy[i] += model.accuracy(held_out.features, held_out.labels, y) * static_cast<double>(left_out.size());
      if (options.interrupt && options.interrupt->load()) break;
    }
  }
  const auto best = std::max_element(accuracy.begin(), accuracy.end()) - accuracy.begin();
  FittedModel result;
  result.regularization = kGrid[static_cast<std::size_t>(best)];
  result.trusted_accuracy = accuracy[static_cast<std::size_t>(best)] / static_cast<double>(count);
  result.y = WeightedFit(rows, ones(rows), options).minimise(result.regularization, Vec::Zero(model.dim_y()));
  return result;
}

}  // namespace bilevel
