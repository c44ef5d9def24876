#include "applications/reweighting_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "applications/folds.hpp"
#include "applications/labelled_rows.hpp"
#include "bilevel/mixture.hpp"

namespace bilevel {

namespace {

/// Strongest first, in units of |H| of the untrained model. A network's strongest penalties leave nothing but the
/// saddle at y = 0.
const std::vector<double>& penalty_grid(Index hidden) {
  static const std::vector<double> linear{1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 1e-6};
  static const std::vector<double> network{1e-3, 3e-4, 1e-4, 3e-5, 1e-5};
  return hidden > 0 ? network : linear;
}

}  // namespace

Network reweighting_network(const ReweightingData& data, const ReweightingOptions& options) {
  return Network({.inputs = static_cast<Index>(data.valid.features.features()),
                  .hidden = options.hidden,
                  .outputs = static_cast<Index>(data.classes)});
}

std::shared_ptr<const Objective> rows_loss(const Network& network, const LabelledRows& rows, Index dim_x,
                                           std::size_t threads) {
  return network_loss(network, rows.features, rows.labels, dim_x, threads);
}

double relative_tolerance(const ReweightingOptions& options) {
  return options.lower_tolerance.value_or(options.hidden > 0 ? 3e-3 : 3e-4);
}

MixtureFitter::MixtureFitter(const ReweightingData& data, const ReweightingOptions& options)
    : data_(data),
      options_(options),
      network_(reweighting_network(data, options)),
      start_(network_.start(options.seed)) {
  for (const auto& source : data.sources) sources_.push_back(rows_loss(network_, source.rows, 0, options.threads));
  const auto objective = mixture(sources_, {});
  const auto uniform =
      objective->linearize(Vec::Zero(static_cast<Index>(sources_.size())), start_, full, Oracle::grad_y);
  const auto or_one = [](double unit) { return unit > 0 ? unit : 1; };  // where the rows are all zero
  curvature_ = or_one(measure_curvature(uniform, network_.dim_y()).largest);
  tolerance_ = relative_tolerance(options) * or_one(norm(*uniform.evaluation().grad_y));
}

LowerSolver::Summary MixtureFitter::solve(const Sources& sources, const Vec& logits, double c, const Vec& start) const {
  return Lbfgs().solve(*mixture(sources, {.regularization = c}), logits, start,
                       {.tolerance = tolerance_, .max_iterations = 2000, .interrupt = options_.stop.interrupt});
}

WeighedModel MixtureFitter::fit(const Vec& logits, double c) const {
  auto solved = solve(sources_, logits, c, start_);
  return {.weights = source_weights(logits, logits.size()),
          .regularization = c,
          .valid_loss = rows_loss(network_, data_.valid, 0, options_.threads)->value(Vec(), solved.y),
          .valid_accuracy = network_.accuracy(data_.valid.features, data_.valid.labels, solved.y),
          .test_loss = {},
          .test_accuracy = {},
          .status = solved.status,
          .y = std::move(solved.y)};
}

template <class Fit>
WeighedModel MixtureFitter::best_of_grid(const Fit& fit) const {
  if (options_.regularization) return fit(*options_.regularization);
  constexpr int kPatience = 2;
  WeighedModel best;
  best.valid_loss = std::numeric_limits<double>::infinity();
  int worse = 0, better = 0;
  for (const double share : penalty_grid(options_.hidden)) {
    auto model = fit(share * curvature_);
    if (model.valid_loss < best.valid_loss || best.y.size() == 0) {
      best = std::move(model);
      worse = 0;
      ++better;
    } else if (++worse >= kPatience && better > 1) {  // before, a strong penalty may hide that classes are unbalanced
      break;
    }
    if (options_.stop.interrupt && options_.stop.interrupt->load()) break;
  }
  return best;
}

WeighedModel MixtureFitter::fit_best(const Vec& logits) const {
  return best_of_grid([&](double c) { return fit(logits, c); });
}

WeighedModel MixtureFitter::fit_target() const {
  constexpr std::size_t kFolds = 5;
  const auto& rows = data_.valid;
  const auto count = rows.labels.size();
  const auto folds = deal_folds(count, rows.labels, std::min(kFolds, count), options_.seed);
  const auto cross_validated = [&](double c) {
    WeighedModel model{.weights = {}, .regularization = c, .test_loss = {}, .test_accuracy = {}, .y = start_};
    for (const auto& left_out : folds) {
      const auto kept = pick(rows, others(left_out, count)), held = pick(rows, left_out);
      const auto solved = solve({rows_loss(network_, kept, 0, options_.threads)}, Vec::Zero(1), c, start_);
      const double share = static_cast<double>(left_out.size()) / static_cast<double>(count);
      model.valid_loss += share * rows_loss(network_, held, 0, options_.threads)->value(Vec(), solved.y);
      model.valid_accuracy += share * network_.accuracy(held.features, held.labels, solved.y);
    }
    return model;
  };
  auto best = best_of_grid(cross_validated);
  auto solved = solve({rows_loss(network_, rows, 0, options_.threads)}, Vec::Zero(1), best.regularization, start_);
  best.status = solved.status;
  best.y = std::move(solved.y);
  return best;
}

void MixtureFitter::judge_test(WeighedModel& model) const {
  if (!data_.test) return;
  model.test_loss = rows_loss(network_, *data_.test, 0, options_.threads)->value(Vec(), model.y);
  model.test_accuracy = network_.accuracy(data_.test->features, data_.test->labels, model.y);
}

}  // namespace bilevel
