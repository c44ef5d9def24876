// What the minibatch methods share: batches, step sizes that need no tuning, and rounds of iterations as leader steps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bilevel/batch.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

struct StochasticOptions {
  /// Samples of a batch of g and of f; more than there are: all of them. Empty: 64.
  std::optional<Index> batch_size = std::nullopt;
  /// The stochastic iterations of one round, which is one step() of the method. Empty: one pass over g's samples, but
  /// enough for the follower to answer (50 of its gradient steps), at least 10 and at most 1000.
  std::optional<Index> iterations_per_round = std::nullopt;
  std::optional<double> inner_step_size = std::nullopt;    // a; empty: see StochasticMethod
  std::optional<double> adjoint_step_size = std::nullopt;  // b; empty: a's rule
  std::optional<double> outer_step_size = std::nullopt;    // gamma, of one iteration; empty: see StochasticMethod
  std::uint64_t seed = 1;                                  // of all that is drawn

  /// The samples of a batch in use, of an objective with so many.
  std::size_t batch(std::size_t samples) const;
};
/// The groups Sampling, Follower and Leader; adjoint-step-size only for methods that have an adjoint.
void describe(OptionTable& table, StochasticOptions& options, bool has_adjoint = true);

/// The batches of one objective: a Sampler's, or always the full batch where a batch holds every sample.
class BatchSource {
 public:
  BatchSource(std::size_t samples, std::size_t batch_size, std::uint64_t seed);
  /// Valid until the next call.
  Batch next() { return sampler_ ? sampler_->next() : full; }
  bool is_full() const { return !sampler_; }
  /// How many make up one pass over the samples.
  Index batches_per_pass() const { return batches_per_pass_; }

 private:
  std::optional<Sampler> sampler_;
  Index batches_per_pass_;
};

/// A method whose step() is one round of stochastic iterations, then one look at all samples for the report.
///
/// The report is taken at the pair (x, y) that the round ends with, on the full batch: f, |g_y|, g where it is
/// provided, and h, the method's estimate of the hypergradient. Oracle calls of that look, beside the iterations' own:
/// value and grad_x of f; grad_y, hess_xy (and value) of g, or what the method's docstring says.
///
/// Step sizes, one rule for all methods. A size that is given is used as it is.
///   follower and adjoint  a = b = 0.5 / L (1 + K)^-1/2 with L the curvature of g(x, .) on the full batch, measured by
///       power iteration at the start and again when x or y has moved far or |g_y| has doubled: half the longest
///       monotone step, for a batch may be twice as curved as the average. (1 + K)^-1/2 is 1 where
///       batches are full, and for the b of a Neumann series, which would be cut off earlier.
///   leader  The first round warms up y and the adjoint with x at rest. Then gamma begins with a move of root mean
///       square 0.1 per round. A round is a reversal if its h is more than twice as long as any of the last ten, and
///       gamma halves, or if it turns against the last one, <h, last h> < 0, and gamma shrinks by K / (1 + K), K the
///       number of reversals so far (by half where nothing is random: there is no noise to turn it around). A round
///       whose h keeps its direction, at a cosine above 1/2 to the last one, and that did not raise f lengthens gamma
///       by 2^(1 / (1 + K)), up to a move of a tenth of 1 + max |x_i| in a coordinate per round. That steps should
///       shrink like 1 / K, since only noise and overshooting turn a gradient around, is Kesten's idea ("Accelerated
///       stochastic approximation", Ann. Math. Stat. 1958); the lengthening is ours. Where steps are normalised gamma
///       is the length of an iteration's move, and turns count unless f fell below the last ten: valleys turn h.
/// A round that ends in numbers that are not finite, with an |h| ten times the largest of any round before, or with an
/// f above the largest of the last ten rounds by more than three times their spread, is taken back and repeated with
/// gamma and a at a quarter, eight times at most; a doubles again with every round.
///
/// Papers' own schedules come on top of these. They run on t = 1 + k / (iterations of a round) instead of the iteration
/// k: the sizes above are those of a round, and would have decayed before x has moved.
class StochasticMethod : public OuterMethod {
 public:
  struct State : OuterMethod::State {
    State(const BilevelProblem& problem, const StochasticOptions& options);

    BatchSource lower_batches, upper_batches;  // xi of g, zeta of f
    Random random;                             // lengths of random sums
    Vec v;                                     // R^m, the adjoint: v ~ H^-1 f_y
    Index k = 0;                               // stochastic iterations done
    Index i = 0;                               // of them in this round
    Index round_length = 1;                    // iterations of a round
    double a = 0, b = 0, gamma = 0;            // in use

    double curvature = 0;          // L
    Vec measured_x, measured_y;    // where; empty: not yet
    double shortening = 1;         // of a and b, by rounds that were taken back
    Index reversals = 0;           // K
    Vec last_h;                    // R^n, of the last round; empty: none
    double last_residual = 0;      // |g_y| of the last round
    double largest_h = 0;          // largest |h| of a round so far
    std::vector<double> recent;    // f of the last ten rounds
    std::vector<double> recent_h;  // |h| of the last ten rounds
    bool unsettled = false;        // |g_y| rose much, or the round was taken back: measure L anew

    /// Set by an iteration that could not be done: it ends the round.
    struct Broken {
      Status status = Status::converged;
      std::string message = {};
      explicit operator bool() const { return status != Status::converged; }
    } broken = {};

    /// 1 + k / round_length: the time that papers' schedules run on.
    double time() const { return 1 + static_cast<double>(k) / static_cast<double>(round_length); }
    /// v becomes the mean of the round's adjoints, `newest` among them: for methods whose v is drawn anew.
    void average_adjoint(const Vec& newest) { v += (newest - v) / static_cast<double>(i + 1); }
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const final;
  const StochasticOptions& sampling() const { return sampling_; }
  /// For this problem.
  Index iterations_per_round(const State& state) const;

 protected:
  explicit StochasticMethod(StochasticOptions sampling) : sampling_(sampling) {}

  /// Where v comes from: from its own last value by steps b, or anew from a series with steps b, of a given or random
  /// length, or from one whose steps the method measures itself (b is 0 unless given).
  enum class Adjoint { iterated, series, random_series, own_series };
  /// What gamma multiplies: the direction, or the direction divided by its length.
  enum class Leader { plain, normalised };

  /// What the round's end looks like on all samples.
  struct Look {
    Vec h;                        // R^n, what the leader's rule goes by
    double upper = 0;             // f
    std::optional<double> lower;  // g
    double lower_residual = 0;    // |g_y|
  };

 private:
  /// One stochastic iteration of the paper, in place.
  virtual void iterate(const BilevelProblem& problem, State& state) const = 0;
  /// h = f_x - B v, unless the method overrides it.
  virtual Look look(const BilevelProblem& problem, const State& state) const;
  /// Batches of g that one iteration draws.
  virtual Index batches_per_iteration() const { return 1; }
  virtual Adjoint adjoint() const { return Adjoint::iterated; }
  virtual Leader leader() const { return Leader::plain; }
  /// Whether the method draws more than batches.
  virtual bool adds_noise() const { return adjoint() == Adjoint::random_series; }
  bool is_noisy(const State& state) const;
  /// Gradient steps of the follower in one iteration.
  virtual Index follower_steps() const { return 1; }
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;

  void note_sampling(State& state) const;
  void choose_inner_steps(const BilevelProblem& problem, State& state) const;
  void adapt(const Look& now, State& state) const;

  StochasticOptions sampling_;
};

/// Copying for a State that adds fields: struct SabaState : CopiedState<SabaState> { ... };
template <class Self>
struct CopiedState : StochasticMethod::State {
  using StochasticMethod::State::State;
  std::unique_ptr<OuterMethod::State> clone() const override {
    return std::make_unique<Self>(static_cast<const Self&>(*this));
  }
  bool assign(const OuterMethod::State& other) override {
    static_cast<Self&>(*this) = dynamic_cast<const Self&>(other);
    return true;
  }
};

}  // namespace bilevel
