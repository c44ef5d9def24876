// The follower's problem: iterations that can be differentiated (StepMap), solvers run to tolerance (LowerSolver), and
// the curvature that sets their step size.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bilevel/objective.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

/// One iteration y+ = A(x, y) of the follower that can be pulled back, pushed forward and, where it is a
/// diffeomorphism, inverted. Hypergradients by iterative differentiation are written on this, whatever the iteration
/// is.
class StepMap {
 public:
  /// The map recorded at one point (x, y): its image and its two Jacobians as products.
  class Point {
   public:
    virtual ~Point() = default;
    virtual const Vec& image() const = 0;  // A(x, y)
    /// |g_y(x, y)| at the point (before the step).
    virtual double residual() const = 0;
    /// Transposed Jacobians on v in R^m: to_x = (d_x A)' v in R^n, to_y = (d_y A)' v in R^m.
    struct PullBack {
      Vec to_x;
      Vec to_y;
    };
    virtual PullBack pull_back(const Vec& v) const = 0;
    /// d_x A dx + d_y A dy in R^m.
    virtual Vec push_forward(const Vec& dx, const Vec& dy) const = 0;
  };

  struct Inverse {
    Vec y;             // the y with A(x, y) = y_next
    bool found;        // false: the inversion did not reach rounding level
    Index iterations;  // evaluations of the map it took
  };

  virtual ~StepMap() = default;
  virtual Vec apply(const Vec& x, const Vec& y) const = 0;
  virtual std::unique_ptr<const Point> record(const Vec& x, const Vec& y) const = 0;
  /// Solve A(x, y) = y_next for y.
  virtual Inverse invert(const Vec& x, const Vec& y_next) const = 0;
  /// Bytes that one recorded Point keeps alive.
  virtual std::size_t point_bytes() const = 0;
  /// Sentence naming the map and its step size, for messages.
  virtual std::string describe() const = 0;
};

/// Fixed-step gradient descent A(x, y) = y - a g_y(x, y).  [BLPV25, Alg. LLD]
/// With 0 < a L_g < 1 it is a global diffeomorphism of y-space [BLPV25, Lemma 5.1]; its inverse is the unique fixed
/// point of z -> y_next + a g_y(x, z), a contraction with factor a L_g.
class GradientDescentMap final : public StepMap {
 public:
  /// step_size a > 0, else InvalidOption. `lower` must outlive the map.
  GradientDescentMap(const Objective& lower, double step_size);

  double step_size() const { return step_size_; }
  Vec apply(const Vec& x, const Vec& y) const override;
  std::unique_ptr<const Point> record(const Vec& x, const Vec& y) const override;
  Inverse invert(const Vec& x, const Vec& y_next) const override;
  std::size_t point_bytes() const override;
  std::string describe() const override;

 private:
  const Objective* lower_;
  double step_size_;
};

/// Largest absolute eigenvalue of H = d2_yy g at a point, by power iteration on products.
struct Curvature {
  double largest;   // estimate of |H|; a lower bound that is within `tolerance` when converged
  Vec eigenvector;  // unit vector, start of the next measurement
  Index products;   // Hessian-vector products spent
  bool converged;
};

/// Stops when two successive estimates agree to `tolerance` relatively, after at most `max_products`.
/// start: a vector to begin from (a previous eigenvector), or empty for a seeded random one.
Curvature measure_curvature(const Linearization& lower, Index dim_y, const Vec& start = {}, double tolerance = 0.02,
                            Index max_products = 30, std::uint64_t seed = 1);

/// The same of any symmetric operator on R^dim, given by its product.
Curvature measure_curvature(const std::function<Vec(const Vec&)>& product, Index dim, const Vec& start = {},
                            double tolerance = 0.02, Index max_products = 30, std::uint64_t seed = 1);

/// A follower solver run to tolerance, not differentiated: for final models, re-solved value functions and baselines.
class LowerSolver {
 public:
  struct Options {
    double tolerance = 1e-8;  // stop when |g_y| <= tolerance * max(1, |g_y| at the start)
    Index max_iterations = 500;
    const std::atomic<bool>* interrupt = nullptr;  // stop after the running iteration when it becomes true
    /// Above 0: the |g_y| that the tolerance is a share of, instead of max(1, |g_y| at the start): for who knows the
    /// unit of g, or starts near the answer.
    double reference = 0;
    double target(double first_residual) const {
      return tolerance * (reference > 0 ? reference : std::max(1.0, first_residual));
    }
  };
  struct Summary {
    Vec y;  // R^m
    Status status = Status::budget_reached;
    Index iterations = 0;
    double value = 0;     // g(x, y)
    double residual = 0;  // |g_y(x, y)|
    std::string message;  // why it stopped, with numbers
  };

  virtual ~LowerSolver() = default;
  virtual std::string_view name() const = 0;
  virtual Summary solve(const Objective& lower, const Vec& x, const Vec& start, const Options& options) const = 0;
};

/// Fixed-step gradient descent to tolerance; step 0.9 / L from measured curvature unless given.
class GradientDescent final : public LowerSolver {
 public:
  explicit GradientDescent(double step_size = 0) : step_size_(step_size) {}
  std::string_view name() const override { return "gradient-descent"; }
  Summary solve(const Objective& lower, const Vec& x, const Vec& start, const Options& options) const override;

 private:
  double step_size_;
};

/// Limited-memory BFGS with a weak Wolfe line search: the fast way to a smooth follower's minimiser.
/// Source: Nocedal and Wright, Numerical Optimization, Algorithms 7.4 and 7.5; line search of Lewis and Overton (2013),
/// at rounding level with the slope test of Hager and Zhang (2005).
class Lbfgs final : public LowerSolver {
 public:
  explicit Lbfgs(Index memory = 10) : memory_(memory) {}
  std::string_view name() const override { return "lbfgs"; }
  Summary solve(const Objective& lower, const Vec& x, const Vec& start, const Options& options) const override;

 private:
  Index memory_;
};

/// Truncated Newton: steps from H p = -g_y by conjugate gradients, solved the more exactly the smaller |g_y| is, so
/// that it converges quadratically to a strict minimiser; weak Wolfe line search. Where CG meets negative curvature
/// that direction is followed downhill, so that saddles are left. Needs value, grad_y and hess_yy. Source: Nocedal and
/// Wright, Numerical Optimization, Algorithm 7.1; negative curvature as in Royer, O'Neill and Wright (2020); line
/// search as in Lbfgs.
class NewtonCg final : public LowerSolver {
 public:
  std::string_view name() const override { return "newton-cg"; }
  /// Ends `diverged` when g falls without bound along a direction, `stagnated` when rounding forbids progress.
  Summary solve(const Objective& lower, const Vec& x, const Vec& start, const Options& options) const override;
};

}  // namespace bilevel
