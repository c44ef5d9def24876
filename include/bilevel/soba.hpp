// SOBA, SABA and MA-SOBA: follower, adjoint and leader move together, one batch an iteration.
#pragma once

#include "bilevel/stochastic.hpp"

namespace bilevel {

using SobaOptions = StochasticOptions;

/// StOchastic Bilevel Algorithm.
///
/// Mathieu Dagreou, Pierre Ablin, Samuel Vaiter, Thomas Moreau, "A Framework for Bilevel Optimization That Enables
/// Stochastic and Global Variance Reduction Algorithms", NeurIPS 2022.  [methods.md sec. 10]
///
///     y <- y - a g_y(xi)                        y in R^m, batches xi of g and zeta of f
///     v <- v - b (H(xi) v - f_y(zeta))          v in R^m
///     x <- x - gamma (f_x(zeta) - B(xi) v)      x in R^n; all three at the old (x, y, v)
///
/// Oracle calls per iteration: one grad_y, hess_yy and hess_xy of g on xi; one grad_x and grad_y of f on zeta.
///
/// Assumes: g(x, .) strongly convex, f and g with Lipschitz derivatives. Given (x, y, v) the three directions are
/// unbiased; with constant a and b y and v stay in a ball of noise, and so does x.
///
/// Differs from the paper: step sizes are measured and follow the reversals (StochasticMethod); batches are drawn
/// without replacement within a pass.
class Soba final : public StochasticMethod {
 public:
  explicit Soba(SobaOptions options = {});
  std::string_view name() const override { return "soba"; }
  Needs needs() const override;

 private:
  void iterate(const BilevelProblem& problem, State& state) const override;
};

using SabaOptions = StochasticOptions;

/// Stochastic Average Bilevel Algorithm: SOBA with SAGA's memory.
///
/// Mathieu Dagreou, Pierre Ablin, Samuel Vaiter, Thomas Moreau, NeurIPS 2022, as Soba.  [methods.md sec. 10]
///
///     p <- p(block) - memory(block) + mean of memory,  memory(block) <- p(block)
///
/// for each of g_y, H v, B v (blocks of g) and f_y, f_x (blocks of f), where p(block) is its value at the present
/// (x, y, v) on the block drawn; then SOBA's updates with these p. Memory: N_g / batch (2 m + n) + N_f / batch (m + n)
/// numbers for N_g and N_f samples.
///
/// Oracle calls per iteration: those of SOBA. The memory is filled in the first iteration, one call for each block.
///
/// Assumes: as SOBA. The directions are unbiased given (x, y, v), and their variance vanishes as the iterates settle:
/// constant steps converge.
///
/// Differs from the paper: as SOBA; its samples are blocks of batch-size samples, fixed by the seed, so that one entry
/// of the memory stands for a block. Blocks of unequal size are weighted.
class Saba final : public StochasticMethod {
 public:
  /// SAGA's memory of one quantity.
  struct Table {
    Eigen::MatrixXd entries;  // a column for each block
    Vec mean;                 // by share of samples
  };
  /// The samples of one objective cut into blocks, and which one is next.
  struct Blocks {
    std::vector<std::uint32_t> order;  // a permutation of the samples
    std::size_t block_size = 1;        // of all blocks but the last
    std::optional<Sampler> sampler;    // of blocks; empty: there is one
    Index count() const;
    Batch block(Index which) const;
    double share(Index which) const;  // of the samples
    Index draw();
  };
  struct State final : CopiedState<State> {
    State(const BilevelProblem& problem, const StochasticOptions& options);
    Blocks lower_blocks, upper_blocks;
    Table lower_gradient, lower_hessian, lower_cross;  // g_y, H v: m, B v: n
    Table upper_y, upper_x;                            // f_y: m, f_x: n
  };

  explicit Saba(SabaOptions options = {});
  std::string_view name() const override { return "saba"; }
  Needs needs() const override;

 private:
  /// Throws InvalidOption where the memory would take more than 1 GiB.
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;
};

struct MaSobaOptions {
  StochasticOptions sampling = {};
  double averaging = 0.1;  // t, the weight of the newest direction
};
void describe(OptionTable& table, MaSobaOptions& options);

/// Moving-Average SOBA.
///
/// Xuxing Chen, Tesi Xiao, Krishnakumar Balasubramanian, "Optimal algorithms for stochastic bilevel optimization under
/// relaxed smoothness conditions", Journal of Machine Learning Research 25(151), 2024.  [methods.md sec. 10]
///
///     y <- y - a g_y(xi)
///     v <- v - b (H(xi) v - f_y(zeta))
///     x <- x - gamma h                              with the h of the last iteration
///     h <- (1 - t) h + t (f_x(zeta) - B(xi) v)      h in R^n, at the old (x, y, v)
///
/// Oracle calls per iteration: those of SOBA.
///
/// Assumes: as SOBA, with fewer derivatives Lipschitz. h is biased towards the past and has t / (2 - t) of the
/// direction's variance.
///
/// Differs from the paper: as SOBA; t is constant.
class MaSoba final : public StochasticMethod {
 public:
  struct State final : CopiedState<State> {
    using CopiedState::CopiedState;
    Vec h;  // R^n; empty before the first iteration
  };

  explicit MaSoba(MaSobaOptions options = {});
  std::string_view name() const override { return "ma_soba"; }
  Needs needs() const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;

  MaSobaOptions options_;
};

}  // namespace bilevel
