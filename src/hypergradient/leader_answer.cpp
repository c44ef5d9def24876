#include "hypergradient/leader_answer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "bilevel/hypergradient.hpp"
#include "bilevel/lower.hpp"

namespace bilevel {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kRoundings = 32;  // of one entry of h

struct UpperPart {
  Vec grad_x, grad_y;
};

/// f and its gradients at (x, answer.y); false, with status and message, where they are not finite.
bool evaluate_upper(const BilevelProblem& problem, LeaderAnswer& answer, UpperPart& upper) {
  auto f = problem.upper->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, answer.x, answer.y);
  answer.upper = *f.value;
  upper = {std::move(*f.grad_x), std::move(*f.grad_y)};
  const char* what = !std::isfinite(answer.upper) ? "f"
                     : !all_finite(upper.grad_x)  ? "f_x"
                     : !all_finite(upper.grad_y)  ? "f_y"
                                                  : nullptr;
  if (what == nullptr) return true;
  answer.status = Status::nonfinite;
  answer.message =
      fmt::format("{} of the upper objective is not finite at the follower's answer (f = {:.4g})", what, answer.upper);
  return false;
}

/// h and w at a formed follower; what rounding makes of h.
void differentiate_formed(const FormedFollower& at, const UpperPart& f, double rounding, LeaderAnswer& answer) {
  const auto& spectrum = at.spectrum;
  Vec w = spectrum.solve(f.grad_y);
  w += spectrum.solve(f.grad_y - at.hessian * w);  // one refinement: the residual is known better than the solution
  answer.gradient = f.grad_x - at.cross * w;
  // Along an eigenvector of eigenvalue lambda w carries the rounding of f_y over lambda.
  const double zero = spectrum.rounding();
  Vec uncertain = spectrum.eigenvectors().cwiseAbs().transpose() * f.grad_y.cwiseAbs().cwiseQuotient(spectrum.scale());
  for (Index k = 0; k < uncertain.size(); ++k) {
    const double lambda = std::abs(spectrum.eigenvalues()[k]);
    uncertain[k] = lambda > zero ? rounding * uncertain[k] / lambda : 0;
  }
  const Eigen::MatrixXd seen = at.cross * spectrum.scale().cwiseInverse().asDiagonal() * spectrum.eigenvectors();
  answer.noise =
      kRoundings * rounding * (f.grad_x.cwiseAbs() + at.cross.cwiseAbs() * w.cwiseAbs()) + seen.cwiseAbs() * uncertain;
  answer.adjoint = std::move(w);
}

/// The unit of each y_j; where it has none, a small share of the largest.
Vec units_of(const Vec& scale) {
  constexpr double kShare = 1e-8;
  const double largest = scale.maxCoeff() > 0 ? scale.maxCoeff() : 1;
  return scale.cwiseMax(kShare * largest);
}

/// v as long as `share` of y's own units in the coordinate that it moves most.
Vec displaced(const Vec& v, const Vec& units, double share) {
  const double most = v.cwiseQuotient(units).cwiseAbs().maxCoeff();
  return most > 0 ? Vec(share / most * v) : v;
}

/// The sum of the directions in the kernel of H along which f changes, each a unit of y long and downhill for f; empty
/// if f sees none of them.
Vec kernel_part(const FormedFollower& at, const Vec& grad_y, const Vec& units) {
  constexpr double kSeen = 1e-9;
  const auto& spectrum = at.spectrum;
  const double zero = spectrum.rounding(), all = grad_y.cwiseAbs().dot(units);
  Vec sum;
  for (Index k = 0; k < spectrum.size(); ++k) {
    if (std::abs(spectrum.eigenvalues()[k]) > zero) continue;
    const Vec v = displaced(spectrum.direction(Vec::Unit(spectrum.size(), k)), units, 1);
    const double slope = dot(grad_y, v);
    if (std::abs(slope) <= kSeen * all) continue;
    if (sum.size() == 0) sum = Vec::Zero(grad_y.size());
    sum -= std::copysign(1.0, slope) * v;
  }
  return sum;
}

/// Whether the follower, displaced along v, stays away at the same g: then its minimisers form a manifold.
bool is_manifold(const Objective& lower, const Vec& x, const FollowerAnswer& solved, const Vec& v) {
  constexpr double kShare = 0.05, kStays = 0.2, kSame = 1e-9;
  const Vec move = displaced(v, units_of(solved.scale), kShare);
  const auto again = solve_follower(lower, x, solved.at.y + move);
  if (again.status != Status::converged) return false;
  const double stayed = dot(again.at.y - solved.at.y, move) / dot(move, move);
  const double rise = lower.value(x, solved.at.y + 20 * move) - solved.at.value;
  return stayed > kStays &&
         std::abs(again.at.value - solved.at.value) <= kSame * std::max(std::abs(rise), std::abs(solved.at.value));
}

/// The limit of h at a flat minimum: the mean of the implicit formula at points displaced to both sides, where H is
/// invertible, with f's derivatives at the answer itself.
bool differentiate_flat(const Objective& lower, const FollowerAnswer& solved, const Vec& v, const UpperPart& f,
                        double rounding, LeaderAnswer& answer) {
  constexpr double kShare = 1e-3;
  const Vec move = displaced(v, units_of(solved.scale), kShare);
  Vec gradient = Vec::Zero(f.grad_x.size()), adjoint = Vec::Zero(f.grad_y.size());
  for (const double side : {-1.0, 1.0}) {
    const auto beside = form_follower(lower, answer.x, solved.at.y + side * move);
    if (!beside.finite || kernel_part(beside, f.grad_y, units_of(solved.scale)).size() > 0) return false;
    differentiate_formed(beside, f, rounding, answer);
    gradient += 0.5 * answer.gradient;
    adjoint += 0.5 * answer.adjoint;
  }
  // What the two sides differ by says how good their mean is.
  answer.noise += 1e-3 * (answer.gradient - gradient).cwiseAbs();
  answer.gradient = std::move(gradient);
  answer.adjoint = std::move(adjoint);
  answer.flat = true;
  return true;
}

void answer_formed(const BilevelProblem& problem, const Vec& start, const std::atomic<bool>* interrupt,
                   LeaderAnswer& answer) {
  const Objective& g = *problem.lower;
  auto solved = solve_follower(g, answer.x, start, {.interrupt = interrupt});
  answer.y = solved.at.y;
  answer.lower = solved.at.value;
  answer.lower_residual = solved.at.gradient.size() > 0 ? norm(solved.at.gradient) : 0;
  answer.lower_steps = solved.iterations;
  answer.flat = solved.flat;
  answer.status = solved.status;
  if (solved.status != Status::converged) {
    answer.message = fmt::format("the follower: {}", solved.message);
    return;
  }
  UpperPart f;
  if (!evaluate_upper(problem, answer, f)) return;
  const double rounding = std::max(kEpsilon, problem.rounding());
  if (const Vec v = kernel_part(solved.at, f.grad_y, units_of(solved.scale)); v.size() > 0) {
    answer.manifold = is_manifold(g, answer.x, solved, v);
    if (answer.manifold || !differentiate_flat(g, solved, v, f, rounding, answer)) {
      answer.status = Status::breakdown;
      answer.message = answer.manifold
                           ? "the follower's minimisers form a manifold along which the upper objective changes: which "
                             "of them it answers is a choice"
                           : "the follower's Hessian is singular at its answer, and the upper objective depends on y "
                             "along its kernel";
      answer.gradient = Vec();
    }
  } else {
    differentiate_formed(solved.at, f, rounding, answer);
  }
  answer.formed = std::move(solved.at);
  if (answer.ok() && !all_finite(answer.gradient)) {
    answer.status = Status::nonfinite;
    answer.message = "the hypergradient f_x - B w is not finite";
  }
}

void answer_by_products(const BilevelProblem& problem, const Vec& start, AnswerMemory& memory,
                        const std::atomic<bool>* interrupt, LeaderAnswer& answer) {
  constexpr double kFollower = 1e-13, kAdjoint = 1e-12;
  const Objective& g = *problem.lower;
  const double first = norm(g.grad_y(answer.x, start));
  memory.largest_residual = std::max(memory.largest_residual, first);
  auto solved = NewtonCg().solve(
      g, answer.x, start,
      {.tolerance = g.attainable(kFollower), .interrupt = interrupt, .reference = memory.largest_residual});
  answer.y = std::move(solved.y);
  answer.lower = solved.value;
  answer.lower_residual = solved.residual;
  answer.lower_steps = solved.iterations;
  // Rounding that forbids progress is as good as the tolerance where the residual is small.
  const bool settled = solved.residual <= 1e-6 * memory.largest_residual;
  answer.status = solved.status == Status::stagnated || solved.status == Status::budget_reached
                      ? (settled ? Status::converged : Status::lower_failed)
                      : solved.status;
  if (!answer.ok()) {
    answer.message = fmt::format("the follower: {}", solved.message);
    return;
  }
  const ImplicitOptions options{.tolerance = kAdjoint};
  auto h = implicit(problem, answer.x, answer.y, options, memory.adjoint);
  if (h.status == Status::breakdown && memory.adjoint.size() > 0) h = implicit(problem, answer.x, answer.y, options);
  answer.upper = h.upper;
  answer.status = h.status;
  answer.message = std::move(h.message);
  if (!answer.ok()) return;
  answer.gradient = std::move(h.gradient);
  const double terms = norm(answer.gradient) + h.upper_x_norm;
  answer.noise = Vec::Constant(answer.x.size(), 10 * kAdjoint * terms);
  memory.adjoint = answer.adjoint = std::move(h.adjoint);
}

}  // namespace

Vec LeaderAnswer::response(const Vec& p) const {
  if (!formed) return Vec::Zero(y.size());
  return -formed->spectrum.solve(formed->cross.transpose() * p);
}

LeaderAnswer answer_leader(const BilevelProblem& problem, const Vec& x, const Vec& start, AnswerMemory& memory,
                           const std::atomic<bool>* interrupt) {
  LeaderAnswer answer;
  answer.x = x;
  answer.y = start;
  if (!all_finite(x) || !all_finite(start)) {
    answer.status = Status::nonfinite;
    answer.message = "x or the follower's start is not finite";
  } else if (problem.dim_y() <= kFormedFollower) {
    answer_formed(problem, start, interrupt, answer);
  } else {
    answer_by_products(problem, start, memory, interrupt, answer);
  }
  return answer;
}

}  // namespace bilevel
