#include "bilevel/audit.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bilevel/hypergradient.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "core/taylor_slope.hpp"
#include "diagnostics/certificate_spectrum.hpp"

namespace bilevel {

namespace {

constexpr double kSmallestSlope =
    1.7;  // as in check_objective: between the 1 of a wrong derivative and the 2 of a right one
constexpr double kMostNoise = 1e-2;
constexpr OracleSet kUpperNeeded = Oracle::value | Oracle::grad_x | Oracle::grad_y;
constexpr OracleSet kProducts = Oracle::hess_yy | Oracle::hess_xy;

Vec normal(Index size, Random& random) {
  Vec v(size);
  for (auto& entry : v) entry = random.normal();
  return v;
}

/// Each entry by about a hundredth of its size or of 1, whichever is more.
Vec moved(const Vec& point, Random& random) {
  const Vec noise = normal(point.size(), random);
  return point + 0.01 * noise.cwiseProduct(point.cwiseAbs().cwiseMax(1.0));
}

class HypergradientAudit {
 public:
  HypergradientAudit(const BilevelProblem& problem, const Vec& x, const Vec& y, const AuditOptions& options)
      : problem_(problem), x_(x), y_(y), options_(options), random_(options.derivatives.seed + 10) {}

  CheckReport run() {
    if (x_.size() == 0) return skip("the hypergradient: there are no leader variables");
    const auto missing_upper = kUpperNeeded.without(problem_.upper->provides());
    const auto missing_lower = (kProducts | Oracle::grad_y).without(problem_.lower->provides());
    if (!missing_upper.empty() || !missing_lower.empty()) {
      return skip(fmt::format("the hypergradient: {} of the {} objective is not provided",
                              to_string(missing_upper.empty() ? missing_lower : missing_upper),
                              missing_upper.empty() ? "lower" : "upper"));
    }
    unrolled_derivative();
    implicit_derivative();
    return std::move(report_);
  }

 private:
  CheckReport skip(std::string sentence) {
    report_.not_checked.push_back(std::move(sentence));
    return std::move(report_);
  }

  void add(std::string name, const TaylorSlope& measured, OracleSet suspects, std::string explanation) {
    const bool passed = measured.slope >= kSmallestSlope;
    if (passed) suspects = {}, explanation.clear();
    if (!measured.finite) explanation = "f is not finite at any step along this direction";
    report_.checks.push_back({std::move(name), Check::Measure::slope, measured.slope, kSmallestSlope, passed, suspects,
                              std::move(explanation)});
  }

  /// Size of the terms in F(x + t d) - F(x) - t slope, for |point| of this size.
  static double scale_of(double value, double slope, const Vec& point) {
    const double typical_entry = norm(point) / std::sqrt(static_cast<double>(point.size()));
    return std::abs(value) + std::abs(slope) * (1 + typical_entry);
  }

  void unrolled_derivative() {
    const auto at = problem_.lower->linearize(x_, y_);
    const double largest = measure_curvature(at, problem_.dim_y()).largest;
    if (!std::isfinite(largest)) {
      report_.not_checked.push_back("the unrolled derivative: a product with H is not finite");
      return;
    }
    const GradientDescentMap map(*problem_.lower, largest > 0 ? 0.5 / largest : 1.0);
    const auto result = unrolled(problem_, map, x_, y_, {.steps = options_.inner_steps});
    if (result.status != Status::converged) {
      report_.not_checked.push_back(fmt::format("the unrolled derivative: {}", result.message));
      return;
    }
    const auto value = [&](const Vec& x, Vec z) {
      for (Index k = 0; k < options_.inner_steps; ++k) z = map.apply(x, z);
      return problem_.upper->value(x, z);
    };
    const double noise = std::min(kMostNoise, 3 * options_.derivatives.noise);
    for (int i = 1; i <= options_.directions; ++i) {
      const Vec u = normal(x_.size(), random_), v = normal(y_.size(), random_);
      const double along_x = dot(result.gradient, u), along_z = dot(result.adjoint, v);
      const auto slope_x =
          taylor_slope([&](double t) { return std::abs(value(x_ + t * u, y_) - result.upper - t * along_x); },
                       scale_of(result.upper, along_x, x_), noise);
      add(fmt::format("unrolled: along random direction {} of x", i), slope_x,
          Oracle::grad_x | Oracle::grad_y | kProducts,
          fmt::format("the derivative of f after {} follower steps is wrong in x: f's grad_x or grad_y, or g's hess_xy "
                      "or hess_yy",
                      options_.inner_steps));
      const auto slope_z =
          taylor_slope([&](double t) { return std::abs(value(x_, y_ + t * v) - result.upper - t * along_z); },
                       scale_of(result.upper, along_z, y_), noise);
      add(fmt::format("unrolled: along random direction {} of z", i), slope_z, Oracle::grad_y | Oracle::hess_yy,
          fmt::format("the derivative of f after {} follower steps is wrong in the start z: f's grad_y or g's hess_yy",
                      options_.inner_steps));
    }
  }

  struct Answer {
    Vec y;
    double residual;
  };

  /// The follower's answer to x, to rounding; empty if it was not found. A wrong Hessian stops Newton's method, so that
  /// L-BFGS has the second try.
  std::optional<Answer> answer(const Vec& x, const Vec& start) const {
    const double precision = std::max(1e-9, 100 * options_.derivatives.noise);
    const NewtonCg newton;
    const Lbfgs lbfgs;
    for (const LowerSolver* solver :
         {static_cast<const LowerSolver*>(&newton), static_cast<const LowerSolver*>(&lbfgs)}) {
      auto summary = solver->solve(*problem_.lower, x, start, {.tolerance = 0, .max_iterations = 300});
      if (!all_finite(summary.y) || !std::isfinite(summary.residual)) continue;
      const auto at = problem_.lower->linearize(x, summary.y);
      const double largest = measure_curvature(at, problem_.dim_y()).largest;
      if (summary.residual <= precision * largest * (1 + norm(summary.y))) {
        return Answer{std::move(summary.y), summary.residual};
      }
    }
    return {};
  }

  void implicit_derivative() {
    const auto leave_open = [&](std::string why) {
      report_.not_checked.push_back(fmt::format("the hypergradient of x -> f(x, y(x)): {}", why));
    };
    if (!problem_.lower->provides().has(Oracle::value)) return leave_open("g's value is not provided");
    const auto solved = answer(x_, y_);
    if (!solved) return leave_open("no minimiser of the follower was found from this y");
    const Vec& y = solved->y;
    const auto spectrum = follower_spectrum(problem_.lower->linearize(x_, y), problem_.dim_y(), {});
    const bool definite = spectrum.finite && spectrum.converged && spectrum.kernel.cols() == 0 &&
                          spectrum.smallest - spectrum.smallest_error > spectrum.cut;
    if (!definite) {
      return leave_open(fmt::format(
          "H is not clearly positive definite at the follower's answer (smallest eigenvalue {:.3g}, |H| = {:.3g})",
          spectrum.smallest, spectrum.largest));
    }
    const auto result = implicit(problem_, x_, y, {.tolerance = 1e-15});
    if (result.status != Status::converged) return leave_open(result.message);

    const double condition = spectrum.largest / spectrum.smallest;
    for (int i = 1; i <= options_.directions; ++i) {
      const Vec u = normal(x_.size(), random_);
      const double along = dot(result.gradient, u);
      const double scale = scale_of(result.upper, along, x_);
      // An answer that is off by H^-1 times its residual changes f by that residual times the adjoint.
      const double inexact = scale > 0 ? norm(result.adjoint) * solved->residual / scale : 0.0;
      const double noise = std::min(kMostNoise, options_.derivatives.noise * (3 + condition) + 10 * inexact);
      const auto value = [&](const Vec& x) {
        const auto found = answer(x, y);
        return found ? problem_.upper->value(x, found->y) : std::numeric_limits<double>::quiet_NaN();
      };
      // The remainder of a central difference falls as t^3, with a wrong derivative as t.
      const auto measured = taylor_slope(
          [&](double t) { return std::abs(value(x_ + t * u) - value(x_ - t * u) - 2 * t * along); }, scale, noise);
      add(fmt::format("hypergradient: along random direction {}", i), measured,
          Oracle::grad_x | Oracle::grad_y | kProducts,
          "f_x - B H^-1 f_y is not the derivative of f at the follower's answer, solved anew: f's grad_x or grad_y, or "
          "g's hess_xy or hess_yy");
    }
  }

  const BilevelProblem& problem_;
  const Vec& x_;
  const Vec& y_;
  const AuditOptions& options_;
  Random random_;
  CheckReport report_;
};

bool finite_at(const Objective& objective, const Vec& x, const Vec& y) {
  for (const auto oracle : {Oracle::value, Oracle::grad_x, Oracle::grad_y}) {
    if (!objective.provides().has(oracle)) continue;
    const auto answer = objective.evaluate(oracle, x, y);
    if (answer.value && !std::isfinite(*answer.value)) return false;
    if (answer.grad_x && !all_finite(*answer.grad_x)) return false;
    if (answer.grad_y && !all_finite(*answer.grad_y)) return false;
  }
  return true;
}

}  // namespace

Audit audit(const BilevelProblem& problem, const Vec& x, const Vec& y, const AuditOptions& options) {
  problem.validate();
  if (options.directions < 1 || options.directions > 1000) {
    throw InvalidOption(fmt::format("the audit's directions is {}, but it must be in 1..1000", options.directions));
  }
  if (options.inner_steps < 1) {
    throw InvalidOption(fmt::format("the audit's inner_steps is {}, but it must be at least 1", options.inner_steps));
  }
  Audit result;
  Vec near_x = x, near_y = y;
  const bool fits = x.size() == problem.dim_x() && y.size() == problem.dim_y() && all_finite(x) && all_finite(y);
  if (fits) {  // else check_objective throws, in its own words
    Random random(options.derivatives.seed + 9);
    near_x = moved(x, random);
    near_y = moved(y, random);
    if (!finite_at(*problem.upper, near_x, near_y) || !finite_at(*problem.lower, near_x, near_y)) {
      near_x = x;
      near_y = y;
    }
  }
  CheckOptions lower_options = options.derivatives, upper_options = options.derivatives;
  upper_options.batch_size = std::min(upper_options.batch_size, problem.upper->samples());
  lower_options.batch_size = std::min(lower_options.batch_size, problem.lower->samples());
  result.upper = check_objective(*problem.upper, near_x, near_y, upper_options);
  result.lower = check_objective(*problem.lower, near_x, near_y, lower_options);
  auto used = options;
  used.derivatives.noise = std::max(options.derivatives.noise, 10 * problem.rounding());
  result.hypergradient = HypergradientAudit(problem, near_x, near_y, used).run();
  return result;
}

std::string Audit::text() const {
  std::string failed;
  for (const auto& [name, report] : {std::pair{"the upper objective", &upper}, std::pair{"the lower objective", &lower},
                                     std::pair{"the hypergradient", &hypergradient}}) {
    if (!report->passed()) failed += fmt::format("{}{}", failed.empty() ? "" : ", ", name);
  }
  return fmt::format("Upper objective f\n{}\nLower objective g\n{}\nHypergradient\n{}\n{}\n", upper.text(),
                     lower.text(), hypergradient.text(),
                     failed.empty() ? "the audit passed" : fmt::format("the audit failed: look at {}", failed));
}

}  // namespace bilevel
