// Epoch-SGD: stochastic gradient steps in epochs, each in a smaller ball with a shorter step, each ending in its
// average.
#pragma once

#include <functional>

#include "bilevel/lower.hpp"
#include "bilevel/random.hpp"

namespace bilevel {

struct EpochSgdOptions {
  double exponent = 2;      // p >= 2 of the follower's uniform convexity
  Index budget = 100;       // steps in all, >= 1: the last epoch is cut to what is left
  Index first_epoch = 5;    // T_1 >= 1
  double first_radius = 1;  // R_1 > 0; infinity: no ball. It should reach the answer, R_1 >= |y* - w|
  double first_step = 1;    // step_1 > 0: below 1 / L for a descent from the first epoch on
  double noise = 0;         // standard deviation, in each entry, of what is added to every gradient
};

/// Where chance comes from, held by the caller: resuming means to restore what is behind these.
struct EpochSgdSources {
  std::function<Batch()> batches = {};  // empty: all samples; a batch is used up before the next call
  Random* random = nullptr;             // needed where noise > 0
};

struct EpochSgdSummary {
  Vec y;                      // R^m, the average of the last epoch
  Index steps = 0;            // gradients taken
  Index epochs = 0;           // the last one may have been cut
  double first_residual = 0;  // |g_y| as seen at the start, on its batch and with its noise
  bool finite = true;         // false: y is the last finite iterate
};

/// T_k and R_k of epoch k = 1, 2, ...:  floor(T_1 2^(tau (k-1))) with tau = 2 (p-1) / p, and R_1 2^(-(k-1)/p).
Index epoch_length(const EpochSgdOptions& options, Index epoch);
double epoch_radius(const EpochSgdOptions& options, Index epoch);

/// For k = 1, 2, ...: T_k projected steps inside the ball B(w^(k), R_k), and w^(k+1) is their average:
///
///     y_0 = w^(k);  y_t = P(y_{t-1} - step_k g_y(x, y_{t-1}; xi_t)),  t = 1..T_k;  w^(k+1) = 1/T_k sum_t y_t
///     step_k = step_1 2^-(k-1)
///
/// w^(1) = `start`, R^m. [UniBiO]; for p = 2 Hazan and Kale, "Beyond the regret minimization barrier: optimal
/// algorithms for stochastic strongly-convex optimization", JMLR 15 (2014), Epoch-GD. The error falls like
/// budget^(-1/tau) in g. Oracle calls: one grad_y a step. Throws InvalidOption for options out of range and for noise
/// without `random`.
///
/// Differs from the paper: the budget counts steps, and a last epoch that does not fit is cut; the average is over the
/// points that the steps lead to.
EpochSgdSummary epoch_sgd(const Objective& lower, const Vec& x, const Vec& start, const EpochSgdOptions& options,
                          const EpochSgdSources& sources = {});

/// The same on all samples until |g_y| at the end of an epoch meets the tolerance, as a LowerSolver: max_iterations is
/// the budget. Slow beside the other ones where gradients are exact.
class EpochSgd final : public LowerSolver {
 public:
  /// The budget and the noise of `options` are not used.
  explicit EpochSgd(EpochSgdOptions options = {}) : options_(options) {}
  std::string_view name() const override { return "epoch-sgd"; }
  Summary solve(const Objective& lower, const Vec& x, const Vec& start, const Options& options) const override;

 private:
  EpochSgdOptions options_;
};

}  // namespace bilevel
