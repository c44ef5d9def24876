// UniBiO: momentum and normalised steps for followers that are uniformly convex, with stochastic gradients.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "bilevel/epoch_sgd.hpp"
#include "bilevel/inner_steps.hpp"
#include "bilevel/method.hpp"
#include "bilevel/power_transformed.hpp"

namespace bilevel {

/// Which PowerSolver; automatic: krylov where g is taken on all samples; on batches neumann, whose
/// factors each have their own.
enum class UnibioSolver { automatic, krylov, neumann };

struct UnibioOptions {
  double exponent = 2;       // p >= 2; `bilevel inspect` and estimate_uniform_convexity() measure it
  double centre = 0;         // a, the same in every coordinate
  double floor = 1e-8;       // eps > 0 of D
  Index follower_every = 2;  // I >= 1
  Index budget = 100;        // gradient steps of each Epoch-SGD
  Index first_epoch = 5;     // T_1
  std::optional<double> first_radius = std::nullopt;     // R_1; empty: 1 + |y| where the follower starts
  std::optional<double> inner_step_size = std::nullopt;  // step_1; empty: measured by the rules of InnerSteps
  double gradient_noise = 0;  // standard deviation added to every entry of g_y in Epoch-SGD: for experiments
  UnibioSolver solver = UnibioSolver::automatic;
  double tolerance = 1e-10;                               // of Krylov
  Index terms = 20;                                       // Q of the series
  std::optional<double> series_step_size = std::nullopt;  // nu; empty: measured
  double momentum = 0.9;                                  // beta in [0, 1)
  std::optional<double> outer_step_size = std::nullopt;   // eta; empty: see below
  std::optional<Index> batch_size = std::nullopt;         // of f and of g, at most their samples; empty: 64
  std::uint64_t seed = 1;                                 // of batches and noise
};
void describe(OptionTable& table, UnibioOptions& options);

/// Bilevel optimization with a lower level that is (mu, p)-uniformly convex:
/// g(x, y2) >= g(x, y1) + <g_y(x, y1), y2 - y1> + mu/p |y2 - y1|^p.
///
/// Yuman Wu, Xiaochuan Gong, Jie Hao, Mingrui Liu, "Bilevel Optimization with Lower-Level Uniform Convexity: Theory and
/// Algorithm", algorithm UniBiO.  [UniBiO]
///
///     every I steps  y <- Epoch-SGD(x, y)            from the last y, in R^m; else y is kept
///     m <- beta m + (1 - beta) G                     G = f_x - B v in R^n, v = (D^-1 H)^-1 D^-1 f_y in R^m
///     x <- x - eta m / |m|                           x in R^n
///
/// D = diag((p-1)|y_i - a|^(p-2)), see power_transformed.hpp; Epoch-SGD: epoch_sgd.hpp. The move along m is made when
/// the next step begins, so that (x, y) after a step is the pair that it reports.
///
/// eta, unless given: a first move of root mean square 0.1. Each time y was answered anew f is compared with what it
/// was at the last such time. Where it fell eta grows by a tenth; where it rose, or rounding hides its change, and <G,
/// m> < 0 says that the way back is downhill, eta is halved and m emptied; any other rise is the follower's settling.
/// With batches or noise such a turn may be an accident: then eta stays above its first value divided by the number of
/// steps.
///
/// Oracle calls per step on all samples (batch-size at least the samples, which one sample always is): `budget` grad_y
/// and one value of g in every I-th step, and one grad_y and hess_xy of g, the hess_yy of the solver (Q for neumann, up
/// to 30 more to measure nu); one value, grad_x and grad_y of f. With batches: the same on batches, but no value of g,
/// and in every I-th step one value of f on all samples more. Beyond these, as in SMBG, k_p products hess_yy of g
/// whenever the curvature is measured for step_1, and where g_y did not fall two values of g, another measurement, and
/// all of Epoch-SGD again.
///
/// Assumes: g(x, .) is uniformly convex, and its Hessian degenerates at y_i = a only; f and u*(x) are smooth. With
/// another p than that of g the hypergradient is the same up to the solver's error, and the epochs are less well sized.
///
/// Differs from the paper: step_1, R_1, nu and eta are measured unless given; Krylov in place of the series where there
/// is nothing random; a last epoch that the budget does not hold is cut.
class Unibio final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    State(const UnibioOptions& options, const BilevelProblem& problem);

    std::optional<Sampler> upper_sampler, lower_sampler;  // empty: all samples
    Random noise;
    Vec momentum;          // m in R^n
    double step_size = 0;  // eta
    double first_step_size = 0;
    double compared_upper = std::numeric_limits<double>::infinity();  // f when y was last answered anew
    std::optional<double> compared_lower;                             // g there
    Vec last_x;            // R^n, where the last move began; empty before the first
    InnerStepState inner;  // step_1 in use, and what it was measured from
    PowerTransformedMemory memory;
    Index inconsistent_steps = 0;  // at which D^-1 H v = D^-1 f_y had no solution
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  explicit Unibio(UnibioOptions options = {});
  std::string_view name() const override { return "unibio"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  std::vector<Finding> findings(const OuterMethod::State& state) const override;
  const UnibioOptions& options() const { return options_; }

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  /// y <- Epoch-SGD(x, y), with step_1 measured and corrected where it proves too long.
  EpochSgdSummary follow(const BilevelProblem& problem, State& state) const;
  /// The follower's answer, where it is due, and G.
  HypergradientResult answer(const BilevelProblem& problem, State& state) const;
  /// eta for the next move from what the last ones did to f.
  void adapt(double upper, const Vec& gradient, State& state) const;

  UnibioOptions options_;
  InnerSteps inner_;
};

}  // namespace bilevel
