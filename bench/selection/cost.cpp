#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/bgs_opt.hpp"
#include "bilevel/run.hpp"
#include "flat_game.hpp"
#include "morse_bott_examples.hpp"
#include "selection/tables.hpp"

namespace bilevel::bench {

namespace {

constexpr double kReduction = 1e-6;
constexpr Index kMostSteps = 5000;

/// |f_x - B H+ f_y| with H formed: the residual of the game's equilibrium [AM22, (SC)].
double leader_residual(const BilevelProblem& problem, const Vec& x, const Vec& y) {
  const Index m = problem.dim_y();
  const auto at = problem.lower->linearize(x, y);
  Eigen::MatrixXd H(m, m);
  for (Index i = 0; i < m; ++i) H.col(i) = at.hess_yy(Vec::Unit(m, i));
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(0.5 * (H + H.transpose()));
  const Vec& values = solver.eigenvalues();
  const double cut = 1e-8 * values.cwiseAbs().maxCoeff();
  const Vec parts = solver.eigenvectors().transpose() * problem.upper->grad_y(x, y);
  const Vec w = solver.eigenvectors() * (values.array().abs() > cut).select(parts.array() / values.array(), 0).matrix();
  return norm(problem.upper->grad_x(x, y) - at.hess_xy(w));
}

/// Stops a run once the residual is small, and keeps what that took. Measuring is not counted.
class Target final : public Observer {
 public:
  Target(const BilevelProblem& measured, double target) : measured_(measured), target_(target) {}

  void on_step(const TraceRow& row, const OuterMethod::State& state) override {
    const double residual =
        leader_residual(measured_, state.answered_x.size() > 0 ? state.answered_x : state.x, state.y);
    least_ = std::min(least_, residual);
    if (residual > target_) return;
    reached_ = row;
    stop = true;
  }
  const std::optional<TraceRow>& reached() const { return reached_; }
  double least() const { return least_; }

  std::atomic<bool> stop = false;

 private:
  const BilevelProblem& measured_;
  double target_;
  double least_ = std::numeric_limits<double>::infinity();
  std::optional<TraceRow> reached_;
};

struct Setting {
  std::string name;
  std::optional<Index> warm;
  Index unrolled_steps;
  bool correction;
};

struct Cost {
  Setting setting;
  std::optional<TraceRow> reached;
  double least = 0;  // smallest residual of the run, of that at the start
  std::uint64_t calls = 0;
};

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const Index T : {1, 3, 10, 30, 100}) all.push_back({"uncorrected", 0, T, false});
  for (const Index T : {1, 10}) all.push_back({"uncorrected", 10, T, false});
  for (const Index T : {1, 3, 10, 30, 100}) all.push_back({"corrected", 0, T, true});
  for (const Index T : {1, 10}) all.push_back({"corrected", 10, T, true});
  for (const Index M : {1, 3, 10, 30, 100}) all.push_back({"implicit (AID)", M, 0, true});
  all.push_back({"default", std::nullopt, BgsOptOptions{}.unrolled_steps, BgsOptOptions{}.correction});
  return all;
}

Cost cost_of(const BilevelProblem& problem, const BilevelProblem& measured, const Setting& setting,
             double outer_step_size) {
  BgsOptOptions options{
      .warm_start_steps = setting.warm, .unrolled_steps = setting.unrolled_steps, .correction = setting.correction};
  options.leader.step_size = outer_step_size;
  const double start = leader_residual(measured, problem.x0, problem.y0);
  Target target(measured, kReduction * start);
  // A biased run converges where the residual is not small; then there is nothing to wait for.
  const StopRule stop{.tolerance = 1e-10, .max_iterations = kMostSteps, .interrupt = &target.stop};
  run(problem, BgsOpt(options), stop, {&target});
  Cost cost{setting, target.reached(), target.least() / start, 0};
  if (cost.reached) cost.calls = cost.reached->lower.total() + cost.reached->upper.total();
  return cost;
}

/// What `bilevel inspect` recommends is the row "default": the correction, M measured, T = 1.
void print_recommendation(const std::vector<Cost>& costs) {
  std::size_t corrected = 0, arrived = 0, uncorrected = 0, arrived_uncorrected = 0;
  const Cost* recommended = nullptr;
  for (const auto& cost : costs) {
    (cost.setting.correction ? corrected : uncorrected) += 1;
    if (cost.reached) (cost.setting.correction ? arrived : arrived_uncorrected) += 1;
    if (!cost.setting.warm) recommended = &cost;
  }
  fmt::print("\nOf {} settings with the correction {} arrive, of {} without it {}.\n", corrected, arrived, uncorrected,
             arrived_uncorrected);
  if (!recommended || !recommended->reached || !costs.front().reached) return;
  fmt::print(
      "Recommended by `bilevel inspect`: the default, which arrives without a choice of M and T and costs {:.1f} times "
      "the "
      "cheapest.\n",
      static_cast<double>(recommended->calls) / static_cast<double>(costs.front().calls));
}

void print_table(const BilevelProblem& problem, const BilevelProblem& measured, double outer_step_size) {
  std::vector<Cost> costs;
  for (const auto& setting : settings()) costs.push_back(cost_of(problem, measured, setting, outer_step_size));
  std::stable_sort(costs.begin(), costs.end(), [](const Cost& a, const Cost& b) {
    if (a.reached.has_value() != b.reached.has_value()) return a.reached.has_value();
    return a.reached ? a.calls < b.calls : a.least < b.least;
  });
  fmt::print(
      "\n{}: calls until the leader's residual is {:g} of that at the start\n\n"
      "{:<16}{:>5}{:>5}{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
      problem.name, kReduction, "hypergradient", "M", "T", "steps", "g grad_y", "g hess_yy", "g hess_xy", "f", "all");
  for (const auto& cost : costs) {
    const auto& [name, warm, T, correction] = cost.setting;
    fmt::print("{:<16}{:>5}{:>5}", name, warm ? fmt::format("{}", *warm) : "auto", T);
    if (!cost.reached) {
      fmt::print("   never: stays at {:.1g}\n", cost.least);
      continue;
    }
    const auto& lower = cost.reached->lower;
    fmt::print("{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}\n", cost.reached->iteration, lower[Oracle::grad_y],
               lower[Oracle::hess_yy], lower[Oracle::hess_xy], cost.reached->upper.total(), cost.calls);
  }
  print_recommendation(costs);
}

/// The same functions, counted apart.
template <class Make>
void print_table_of(const Make& make, double outer_step_size) {
  const BilevelProblem problem = make(), measured = make();
  print_table(problem, measured, outer_step_size);
}

}  // namespace

void print_cost_tables() {
  print_table_of(
      [] {
        auto problem = testing::flat_game().problem;
        problem.name = "quadratic with a flat subspace, n = m = 40";
        return problem;
      },
      2.0 / 11.0);
  print_table_of(testing::network_game, 0.3);
  print_table_of(
      [] {
        auto problem = testing::nonlinear_problem();
        problem.name = "strongly convex follower of condition 5, n = 2, m = 3";
        return problem;
      },
      0.5);
}

}  // namespace bilevel::bench
