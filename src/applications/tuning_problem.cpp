// From data to the bilevel problem of tuning.hpp, and the options.
#include <cmath>

#include <fmt/format.h>

#include "applications/tuning_stack.hpp"
#include "bilevel/tuning.hpp"

namespace bilevel {

namespace {

std::size_t target_count(const Targets& targets) {
  return std::visit([](const auto& values) { return values.size(); }, targets);
}

void check_rows(std::string_view what, const TuningRows& rows, const TuningData& data) {
  if (target_count(rows.targets) != rows.features.rows()) {
    throw InvalidInput(fmt::format("the {} rows have {} targets for {} rows of features", what,
                                   target_count(rows.targets), rows.features.rows()));
  }
  if (rows.features.features() != data.all.features.features()) {
    throw InvalidInput(fmt::format("the {} rows have {} features, but the training rows have {}", what,
                                   rows.features.features(), data.all.features.features()));
  }
  const bool labelled = std::holds_alternative<std::vector<std::int32_t>>(rows.targets);
  if (labelled != (data.classes > 0)) {
    throw InvalidInput(fmt::format("the {} rows have {}, but the task has {}", what,
                                   labelled ? "class labels" : "real targets",
                                   labelled ? "real targets (0 classes)" : fmt::format("{} classes", data.classes)));
  }
}

void check(const TuningData& data, PenaltyScale penalty, double c) {
  if (data.classes == 1) throw InvalidInput("tuning needs at least two classes, or 0 for real targets, not 1");
  if (data.folds.empty()) throw InvalidInput("tuning needs at least one pair of training and validation rows");
  check_rows("training", data.all, data);
  for (const auto& fold : data.folds) {
    check_rows("training", fold.train, data);
    check_rows("validation", fold.valid, data);
  }
  if (data.test) check_rows("test", *data.test, data);
  if (penalty == PenaltyScale::fixed) {
    throw InvalidOption("penalty 'fixed' leaves nothing to tune; allowed: single, per-class, per-feature, per-group");
  }
  if (penalty == PenaltyScale::per_class && data.classes == 0) {
    throw InvalidOption(
        "penalty 'per-class' needs classes, but the targets are real numbers; use per-feature or single");
  }
  if (!(c > 0) || !std::isfinite(c)) {
    throw InvalidOption(fmt::format("the penalty's base weight is {}, but must be positive and finite", c));
  }
}

}  // namespace

LinearModelOptions tuning_model(const TuningData& data, PenaltyScale penalty, std::size_t threads) {
  LinearModelOptions model{.loss = LinearLoss::softmax, .classes = data.classes, .intercept = true, .threads = threads};
  if (data.classes == 0) {
    model.loss = LinearLoss::squared;
    model.classes = 2;
  } else if (data.classes == 2 && penalty != PenaltyScale::per_class) {
    model.loss = LinearLoss::logistic;
  }
  return model;
}

BilevelProblem tuning_problem(const TuningData& data, PenaltyScale penalty, double c, std::size_t threads) {
  check(data, penalty, c);
  const TrainingOptions training{.model = tuning_model(data, penalty, threads),
                                 .regularization = c,
                                 .penalty_scale = penalty,
                                 .penalty_groups = data.groups};
  std::vector<std::shared_ptr<const Objective>> lower, upper;
  for (const auto& fold : data.folds) {
    lower.push_back(training_objective(fold.train.features, fold.train.targets, training));
    upper.push_back(
        validation_objective(fold.valid.features, fold.valid.targets, training.model, lower.back()->dim_x()));
  }
  BilevelProblem problem;
  problem.name = "tuning";
  problem.x0 = Vec::Zero(lower.front()->dim_x());
  if (lower.size() == 1) {
    problem.lower = lower.front();
    problem.upper = upper.front();
  } else {
    const double share = 1.0 / static_cast<double>(upper.size());
    problem.lower = std::make_shared<StackedObjective>("training", std::move(lower), 1.0);
    problem.upper = std::make_shared<StackedObjective>("validation", std::move(upper), share);
  }
  problem.y0 = Vec::Zero(problem.dim_y());
  return problem;
}

std::vector<double> tuning_grid(std::size_t points) {
  constexpr double kStrongest = 1, kWeakest = -6;  // decimal logarithms
  std::vector<double> weights;
  for (std::size_t i = 0; i < points; ++i) {
    const double share = points > 1 ? static_cast<double>(i) / static_cast<double>(points - 1) : 0;
    weights.push_back(std::pow(10.0, kStrongest + share * (kWeakest - kStrongest)));
  }
  return weights;
}

void describe(OptionTable& table, TuningOptions& options) {
  table.group("Penalty")
      .add("penalty", options.penalty,
           "what has a weight of its own: each feature, each group of features (the columns of a CSV file, or those of "
           "--groups), each class, or nothing (one weight)",
           {{"per-feature", PenaltyScale::per_feature},
            {"per-group", PenaltyScale::per_group},
            {"per-class", PenaltyScale::per_class},
            {"single", PenaltyScale::single}})
      .add("weight-range", options.weight_range,
           "r: a weight stays between c / r and c r^2, with c the single weight at the start", greater_than(1))
      .add("guard", options.guard,
           "share of the validation rows that does not steer the weights but tells when to stop; 0: none; auto: 0.3 "
           "below 20 rows a weight, else none",
           at_least(0), less_than(1));
  table.group("Method")
      .add("method", options.method,
           "hoag solves the follower before each step; smbg and bgs_opt take a few gradient steps instead",
           one_of({"hoag", "smbg", "bgs_opt"}))
      .add("outer", options.outer, "the leader's step",
           {{"adam", LeaderRule::adam}, {"gradient-descent", LeaderRule::gradient_descent}})
      .add("lower-tolerance", options.lower_tolerance,
           "the follower is solved until its gradient is below this (times that at the start, if above 1)",
           between(1e-12, 0.1))
      .add("adjoint-tolerance", options.adjoint_tolerance,
           "hoag: conjugate gradients stop at |H w - f_y| <= this |f_y|", between(1e-12, 0.5));
  describe(table, options.stop);
  table.group("Computation")
      .add("threads", options.threads, "threads of a pass over the data; 0: one for each processor", between(0, 1024))
      .add("comparators", options.comparators,
           "also fit what the result is compared with: a grid of 20 values of one "
           "weight, and no penalty")
      .add("cold-grid", options.cold_grid,
           "also run the grid with every point from zero, as grid searches commonly do, to compare the time")
      .add("certificate", options.certificate,
           "also examine what the returned pair is to the bilevel problem: eigenvalues, residuals, a verdict");
}

}  // namespace bilevel
