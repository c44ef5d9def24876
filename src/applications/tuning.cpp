#include "bilevel/tuning.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include "applications/tuning_fit.hpp"
#include "applications/tuning_guard.hpp"
#include "bilevel/hoag.hpp"
#include "bilevel/registry.hpp"

namespace bilevel {

namespace {

constexpr std::size_t kShortGrid = 8, kFullGrid = 20;

std::unique_ptr<OuterMethod> method_of(const TuningOptions& options) {
  const std::string rule(to_string(options.outer));
  // The few gradient steps of `clean`; a product of the adjoint system costs as much as one of them.
  if (options.method == "smbg") {
    return make_method("smbg", {{"hypergradient", "implicit"},
                                {"max-inner-steps", "40"},
                                {"cg-tolerance", "1e-2"},
                                {"cg-iterations", "100"},
                                {"outer", rule}});
  }
  if (options.method == "bgs_opt") {
    return make_method("bgs_opt", {{"unrolled-steps", "1"},
                                   {"max-inner-steps", "40"},
                                   {"adjoint-tolerance", "1e-2"},
                                   {"adjoint-iterations", "100"},
                                   {"outer", rule}});
  }
  return std::make_unique<Hoag>(HoagOptions{.lower_tolerance = options.lower_tolerance,
                                            .lower_iterations = 300,
                                            .adjoint_tolerance = options.adjoint_tolerance,
                                            .lowest = -std::log(options.weight_range),
                                            .highest = 2 * std::log(options.weight_range),
                                            .leader = {.rule = options.outer},
                                            .interrupt = options.stop.interrupt});
}

std::size_t rows_of(const TuningRows& rows) { return rows.features.rows(); }

/// |y_j| over each group of the penalty, in the layout of linear_models.hpp.
Vec group_norms(const Vec& y, const LinearModel& model, PenaltyScale penalty,
                const std::vector<std::uint32_t>& feature_groups, Index groups) {
  const auto features = static_cast<Index>(model.features()), scores = static_cast<Index>(model.scores());
  const Eigen::Map<const Eigen::MatrixXd> weights(y.data(), features, scores);  // a column for each score
  if (penalty == PenaltyScale::per_feature) return weights.rowwise().norm();
  if (penalty == PenaltyScale::per_group) {
    Vec squares = Vec::Zero(groups);
    for (Index j = 0; j < features; ++j)
      squares[feature_groups[static_cast<std::size_t>(j)]] += weights.row(j).squaredNorm();
    return squares.cwiseSqrt();
  }
  if (penalty == PenaltyScale::per_class) return weights.colwise().norm().transpose();
  return Vec::Constant(groups, weights.norm());
}

Certificate certify_tuning(const BilevelProblem& problem, const RunResult& run, const TuningOptions& options) {
  // The followers were solved to lower_tolerance: finer scales say nothing.
  auto certificate = certify(problem, run.best_x, run.best_y,
                             {.tolerance = options.lower_tolerance, .eigenvalue_products = 100, .solve_products = 100});
  const bool stopped = run.status == Status::stagnated || run.status == Status::budget_reached;
  if (certificate.verdict == Verdict::not_converged && stopped) {
    certificate.advice =
        "this is intended: tuning stops when the validation loss hardly falls any more, and weights at the end of "
        "their range are no stationary points; for a converged answer use --improvement 0 and more --max-iterations";
  }
  return certificate;
}

std::size_t validation_rows(const TuningData& data) {
  std::size_t rows = 0;
  for (const auto& fold : data.folds) rows += rows_of(fold.valid);
  return rows;
}

/// What speaks against the result.
void warn(TuningResult& result, const TuningData& data, double at_start) {
  constexpr std::size_t kRowsForEach = 5;  // validation rows a weight, below which they can be fitted one by one
  const auto weights = static_cast<std::size_t>(result.log_weights.size());
  const auto rows = validation_rows(data);
  if (weights > 1 && rows < kRowsForEach * weights) {
    result.warnings.push_back(fmt::format(
        "{} weights were chosen by {} validation rows: the validation loss is then no estimate of the loss on new "
        "rows{}; use --penalty single, more rows, or --folds",
        weights, rows, data.test ? "" : ", and without --test rows nothing here is"));
  }
  const auto& tuned = result.tuned;
  const auto& single = result.warm_grid ? result.warm_grid : result.cold_grid;
  if (single && single->test_loss && tuned.test_loss && tuned.valid_loss < single->valid_loss) {
    const double promised = single->valid_loss - tuned.valid_loss, kept = *single->test_loss - *tuned.test_loss;
    if (kept < 0) {
      result.warnings.push_back(fmt::format(
          "the validation rows are overfitted: against the best single weight the validation loss is lower by {:.3g}, "
          "but the test loss higher by {:.3g}; use the single weight, --penalty per-class, or more validation rows",
          promised, -kept));
    } else if (kept < promised / 4) {
      result.warnings.push_back(fmt::format(
          "of the validation loss gained over the best single weight ({:.3g}) the test rows see {:.3g}: the rest is "
          "fitted to the validation rows",
          promised, kept));
    }
  }
  if (!(tuned.valid_loss < at_start) && weights > 1) {
    result.warnings.push_back("no weights were found that beat the best single one: use --penalty single");
  }
}

class Tuner {
 public:
  Tuner(const TuningData& data, const TuningOptions& options, const std::function<void(std::string_view)>& on_stage)
      : data_(data),
        options_(options),
        on_stage_(on_stage),
        single_(tuning_problem(data, PenaltyScale::single, 1, options.threads)) {
    result_.model = tuning_model(data, options.penalty, options.threads);
  }

  TuningResult tune(const std::vector<Observer*>& observers) {
    const auto method = method_of(options_);
    // What cannot work together is refused before anything is computed.
    method->init(tuning_problem(data_, options_.penalty, 1, options_.threads));
    stage("looking for the best single weight");
    const auto start = start_grid();
    result_.start_grid = start.points;
    constexpr double kAsGood = 0.05;
    const std::size_t from = strongest_within(start, kAsGood);
    result_.base_weight = start.points[from].weight;

    const auto guarded = set_guard_aside(data_, guard_share());
    auto problem = tuning_problem(guarded.steering, options_.penalty, result_.base_weight, options_.threads);
    problem.y0 = same_model() ? start.answers[from] : problem.y0;
    stage("tuning");
    const CostMeter meter(problem);
    GuardObserver guard(guarded.guard, result_.model, options_.stop);
    auto watchers = observers;
    watchers.push_back(&guard);
    result_.run = run(problem, *method, guard.stop(), watchers);
    guard.judge(result_.run);
    if (guard_choice_) result_.run.choices.push_back(*guard_choice_);
    if (interrupted() && result_.run.status != Status::interrupted) {  // a follower cut short can look converged
      result_.run.status = Status::interrupted;
      result_.run.message = fmt::format("stopped by the user after step {}", result_.run.iterations);
    }
    result_.guard_losses = guard.losses();
    finish_tuned(problem, meter, start.cost);
    if (options_.certificate && !interrupted()) {
      stage("certifying");
      result_.certificate = certify_tuning(problem, result_.run, options_);
    }
    compare();
    warn(result_, data_, start.points[start.best].valid_loss);
    return std::move(result_);
  }

 private:
  void stage(std::string_view name) const {
    if (on_stage_) on_stage_(name);
  }
  bool interrupted() const { return options_.stop.interrupt && options_.stop.interrupt->load(); }

  /// Two classes with a weight each have two scores, the single weight's model has one.
  bool same_model() const { return result_.model.loss == single_model().loss; }
  LinearModelOptions single_model() const { return tuning_model(data_, PenaltyScale::single, options_.threads); }

  LowerSolver::Options solver() const {
    return {.tolerance = options_.lower_tolerance, .max_iterations = 1000, .interrupt = options_.stop.interrupt};
  }

  /// Only about which decade the run starts in, and weak weights are what costs: solved loosely, and over at the first
  /// weight that does worse.
  GridRun start_grid() const {
    constexpr double kLooser = 5, kLoosest = 0.1;
    auto loose = solver();
    loose.tolerance = std::min(kLoosest, kLooser * loose.tolerance);
    return run_grid(single_, tuning_grid(kShortGrid), {.solver = loose, .warm = true, .patience = 1});
  }

  /// Few weights cannot fit many rows one by one: then all of these steer.
  double guard_share() {
    constexpr std::size_t kRowsForEach = 20;
    constexpr double kShare = 0.3;
    if (options_.guard) return *options_.guard;
    const auto weights = tuning_problem(data_, options_.penalty, 1, 1).dim_x();
    const auto rows = validation_rows(data_);
    const bool enough = rows >= kRowsForEach * static_cast<std::size_t>(weights);
    guard_choice_ = {"guard", "auto", enough ? "0" : fmt::format("{}", kShare),
                     fmt::format("{:.3g} validation rows for each weight",
                                 static_cast<double>(rows) / static_cast<double>(weights))};
    return enough ? 0 : kShare;
  }

  Vec first_follower(const Vec& y) const { return y.head(y.size() / static_cast<Index>(data_.folds.size())); }

  void finish_tuned(const BilevelProblem& problem, const CostMeter& meter, const TuningCost& before) {
    auto& run = result_.run;
    auto& tuned = result_.tuned;
    result_.log_weights = run.best_x.array() + std::log(result_.base_weight);
    if (!interrupted()) {  // the loss that is reported is that of solved followers, whatever the method made of them
      auto solved = Lbfgs().solve(*problem.lower, run.best_x, run.best_y, solver());
      run.best_y = std::move(solved.y);
      tuned.status = solved.status;
    }
    tuned.cost = before + meter.cost();
    judge_folds(tuned, data_, result_.model, run.best_y);
    stage("fitting all rows");
    tuned.y = fit_all(data_, options_.penalty, result_.base_weight, run.best_x, result_.model,
                      first_follower(run.best_y), solver())
                  .y;
    judge_test(tuned, data_, result_.model);
    const LinearModel model(data_.all.features.features(), result_.model);
    result_.coefficient_norms = group_norms(tuned.y, model, options_.penalty, data_.groups, run.best_x.size());
    if (options_.penalty == PenaltyScale::single) tuned.weight = std::exp(result_.log_weights[0]);
  }

  TunedModel grid_model(bool warm) {
    auto grid = run_grid(single_, tuning_grid(kFullGrid), {.solver = solver(), .warm = warm, .patience = 0});
    TunedModel tuned;
    tuned.weight = grid.points[grid.best].weight;
    tuned.cost = grid.cost;
    tuned.status = grid.status;
    judge_folds(tuned, data_, single_model(), grid.answers[grid.best]);
    tuned.y = fit_all(data_, PenaltyScale::fixed, *tuned.weight, Vec(), single_model(),
                      first_follower(grid.answers[grid.best]), solver())
                  .y;
    judge_test(tuned, data_, single_model());
    result_.grid = std::move(grid.points);
    return tuned;
  }

  TunedModel unpenalised_model() const {
    TunedModel tuned;
    Vec stacked = Vec::Zero(single_.dim_y());
    const Index length = stacked.size() / static_cast<Index>(data_.folds.size());
    const CostMeter meter(single_);
    for (std::size_t k = 0; k < data_.folds.size(); ++k) {
      const TuningData part{data_.classes, {}, data_.folds[k].train, {}};
      auto fitted = fit_all(part, PenaltyScale::fixed, 0, Vec(), single_model(), Vec::Zero(length), solver());
      stacked.segment(static_cast<Index>(k) * length, length) = fitted.y;
      if (fitted.status != Status::converged) tuned.status = fitted.status;
    }
    tuned.cost = meter.cost();
    judge_folds(tuned, data_, single_model(), stacked);
    tuned.y = fit_all(data_, PenaltyScale::fixed, 0, Vec(), single_model(), first_follower(stacked), solver()).y;
    judge_test(tuned, data_, single_model());
    return tuned;
  }

  void compare() {
    if (options_.cold_grid && !interrupted()) {
      stage("the grid of 20, each point from zero");
      auto cold = grid_model(false);
      if (!interrupted()) result_.cold_grid = std::move(cold);
    }
    if (!options_.comparators || interrupted()) return;
    stage("the grid of 20, each point from the last");
    auto warm = grid_model(true);
    if (interrupted()) return;
    result_.warm_grid = std::move(warm);
    stage("without a penalty");
    auto none = unpenalised_model();
    if (!interrupted()) result_.no_penalty = std::move(none);
  }

  const TuningData& data_;
  const TuningOptions& options_;
  const std::function<void(std::string_view)>& on_stage_;
  BilevelProblem single_;
  std::optional<Choice> guard_choice_;
  TuningResult result_;
};

}  // namespace

TuningResult tune(const TuningData& data, const TuningOptions& options, const std::vector<Observer*>& observers,
                  const std::function<void(std::string_view)>& on_stage) {
  tuning_problem(data, options.penalty, 1);  // refuses data and penalties that nothing can be tuned with
  check_options(options);
  return Tuner(data, options, on_stage).tune(observers);
}

}  // namespace bilevel
