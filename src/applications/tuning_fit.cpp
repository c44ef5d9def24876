#include "applications/tuning_fit.hpp"

#include <cmath>
#include <ctime>
#include <limits>
#include <utility>

namespace bilevel {

namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

OracleCounts sum(OracleCounts a, const OracleCounts& b) {
  for (std::size_t i = 0; i < kOracleCount; ++i) {
    a.calls[i] += b.calls[i];
    a.samples[i] += b.samples[i];
  }
  a.seconds += b.seconds;
  return a;
}

double loss(const TuningRows& rows, const LinearModelOptions& model, const Vec& y) {
  return validation_objective(rows.features, rows.targets, model, 0)->value(Vec(), y);
}

/// Accuracy or R^2 of several models, each on its own rows: counted over all rows together, so that folds of a single
/// row have one too.
class Score {
 public:
  void add(const TuningRows& rows, const LinearModelOptions& options, const Vec& y) {
    const LinearModel model(rows.features.features(), options);
    const auto count = static_cast<double>(rows.features.rows());
    rows_ += count;
    if (const auto* labels = std::get_if<std::vector<std::int32_t>>(&rows.targets)) {
      is_accuracy_ = true;
      right_ += count * model.accuracy(rows.features, *labels, y);
      return;
    }
    const auto& values = std::get<std::vector<double>>(rows.targets);
    const Eigen::Map<const Vec> target(values.data(), static_cast<Index>(values.size()));
    sum_ += target.sum();
    squares_ += target.squaredNorm();
    residuals_ += (model.predict_scores(rows.features, y).col(0) - target).squaredNorm();
  }

  /// R^2 is 0 where the targets do not vary: there is nothing to explain.
  double value() const {
    if (is_accuracy_) return right_ / rows_;
    const double around_mean = squares_ - sum_ * sum_ / rows_;
    return around_mean > 1e-12 * squares_ ? 1 - residuals_ / around_mean : 0;
  }

 private:
  bool is_accuracy_ = false;
  double rows_ = 0, right_ = 0, sum_ = 0, squares_ = 0, residuals_ = 0;
};

}  // namespace

CostMeter::CostMeter(const BilevelProblem& problem)
    : problem_(problem),
      follower_(problem.lower->counts()),
      leader_(problem.upper->counts()),
      cpu_seconds_(cpu_seconds()) {}

TuningCost CostMeter::cost() const {
  return {cpu_seconds() - cpu_seconds_, problem_.lower->counts() - follower_, problem_.upper->counts() - leader_};
}

TuningCost operator+(const TuningCost& a, const TuningCost& b) {
  return {a.cpu_seconds + b.cpu_seconds, sum(a.follower, b.follower), sum(a.leader, b.leader)};
}

GridRun run_grid(const BilevelProblem& problem, const std::vector<double>& weights, const GridOptions& options) {
  GridRun grid;
  const CostMeter meter(problem);
  Vec last = problem.y0;
  double lowest = std::numeric_limits<double>::infinity();
  for (const double weight : weights) {
    const Vec x = Vec::Constant(1, std::log(weight));
    auto solved = Lbfgs().solve(*problem.lower, x, options.warm ? last : problem.y0, options.solver);
    const double valid_loss = problem.upper->value(x, solved.y);
    grid.points.push_back({weight, valid_loss});
    last = solved.y;
    grid.answers.push_back(std::move(solved.y));
    if (grid.points.size() == 1 || valid_loss < lowest) {
      lowest = std::isfinite(valid_loss) ? valid_loss : lowest;
      grid.best = grid.points.size() - 1;
      grid.status = solved.status;
    }
    if (options.patience > 0 && grid.points.size() > grid.best + options.patience) break;
    if (options.solver.interrupt && options.solver.interrupt->load()) break;
  }
  grid.cost = meter.cost();
  return grid;
}

std::size_t strongest_within(const GridRun& grid, double share) {
  const double limit = grid.points[grid.best].valid_loss * (1 + share);
  for (std::size_t i = 0; i < grid.best; ++i) {  // strongest first; losses are not negative
    if (grid.points[i].valid_loss <= limit) return i;
  }
  return grid.best;
}

LowerSolver::Summary fit_all(const TuningData& data, PenaltyScale penalty, double c, const Vec& x,
                             const LinearModelOptions& model, const Vec& start, const LowerSolver::Options& options) {
  const auto objective = training_objective(
      data.all.features, data.all.targets,
      {.model = model, .regularization = c, .penalty_scale = penalty, .penalty_groups = data.groups});
  return Lbfgs().solve(*objective, x, start, options);
}

void judge_folds(TunedModel& tuned, const TuningData& data, const LinearModelOptions& model, const Vec& y) {
  const auto folds = static_cast<double>(data.folds.size());
  const Index length = y.size() / static_cast<Index>(data.folds.size());
  Score score;
  for (std::size_t k = 0; k < data.folds.size(); ++k) {
    const Vec part = y.segment(static_cast<Index>(k) * length, length);
    tuned.train_loss += loss(data.folds[k].train, model, part) / folds;
    tuned.valid_loss += loss(data.folds[k].valid, model, part) / folds;
    score.add(data.folds[k].valid, model, part);
  }
  tuned.valid_score = score.value();
}

void judge_test(TunedModel& tuned, const TuningData& data, const LinearModelOptions& model) {
  if (!data.test) return;
  tuned.test_loss = loss(*data.test, model, tuned.y);
  Score score;
  score.add(*data.test, model, tuned.y);
  tuned.test_score = score.value();
}

}  // namespace bilevel
