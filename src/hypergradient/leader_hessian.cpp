#include "hypergradient/leader_hessian.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace bilevel {

namespace {

/// h at x by corrections of the answer at hand: chord steps for y, refinements for w. Empty where they do not converge.
std::optional<Vec> gradient_nearby(const BilevelProblem& problem, const LeaderAnswer& at, const Vec& x, const Vec& y0) {
  constexpr int kCorrections = 4;
  const auto& spectrum = at.formed->spectrum;
  const Objective& g = *problem.lower;
  const auto corrected = correct_follower(g, x, y0, *at.formed, kCorrections);
  if (!corrected.settled) return {};
  const Vec& y = corrected.y;
  const auto f = problem.upper->evaluate(Oracle::grad_x | Oracle::grad_y, x, y);
  if (!all_finite(*f.grad_x) || !all_finite(*f.grad_y)) return {};
  const auto lower = g.linearize(x, y);
  Vec w = at.adjoint;
  for (int i = 0; i < 2; ++i) w += spectrum.solve(*f.grad_y - lower.hess_yy(w));
  Vec gradient = *f.grad_x - lower.hess_xy(w);
  return all_finite(gradient) ? std::optional(std::move(gradient)) : std::nullopt;
}

/// How far a difference stands above what rounding makes of it: the largest ratio of an entry to its noise.
double resolution(const Vec& change, const Vec& noise) {
  double most = 0;
  for (Index i = 0; i < change.size(); ++i) {
    if (change[i] != 0) most = std::max(most, std::abs(change[i]) / std::max(noise[i], 1e-300));
  }
  return most;
}

}  // namespace

LeaderHessian leader_hessian(const BilevelProblem& problem, const LeaderAnswer& at, AnswerMemory& memory, Vec& steps,
                             const std::atomic<bool>* interrupt) {
  // A difference is resolved to a part in kEnough at the least; beyond kPlenty a shorter one is more exact.
  constexpr double kEnough = 1e4, kPlenty = 1e11, kChange = 100;
  constexpr int kTries = 8;
  const Index n = at.x.size();
  const bool corrects = at.formed && !at.flat;
  LeaderHessian result;
  result.hessian.resize(n, n);
  // Differences are taken between answers that were corrected alike, so that what the corrections leave cancels.
  std::optional<Vec> base;
  if (corrects) base = gradient_nearby(problem, at, at.x, at.y);
  for (Index i = 0; i < n; ++i) {
    const Vec response = at.response(Vec::Unit(n, i));
    int grown = 0, shrunk = 0;
    if (!(std::abs(steps[i]) > 0)) steps[i] = std::numeric_limits<double>::epsilon();
    for (int attempt = 0;; ++attempt) {
      if (interrupt && interrupt->load()) return result;
      Vec x = at.x;
      x[i] += steps[i];
      const double step = x[i] - at.x[i];
      if (step == 0) {  // below the spacing of numbers around x
        steps[i] *= kChange;
        continue;
      }
      std::optional<Vec> gradient;
      if (base) gradient = gradient_nearby(problem, at, x, at.y + step * response);
      const bool corrected = gradient.has_value();
      if (!gradient) {
        AnswerMemory once = memory;
        auto answer = answer_leader(problem, x, at.y + step * response, once, interrupt);
        ++result.answers;
        if (answer.ok()) gradient = std::move(answer.gradient);
      }
      if (!gradient) {
        if (attempt >= kTries) {
          result.hessian.col(i).setZero();  // nothing is known of this one
          ++result.unknown;
          break;
        }
        steps[i] = shrunk < 2 ? steps[i] / kChange : -steps[i];  // out of the domain: nearer, then to the other side
        ++shrunk;
        continue;
      }
      const Vec change = *gradient - (corrected ? *base : at.gradient);
      const double resolved = resolution(change, at.noise);
      if (resolved < kEnough && grown < kTries && shrunk == 0 && attempt < kTries) {
        ++grown;
        steps[i] *= kChange;
        continue;
      }
      if (resolved > kPlenty && grown == 0 && shrunk < 3 && at.x[i] == 0) {
        ++shrunk;
        steps[i] /= kChange;
        continue;
      }
      result.hessian.col(i) = change / step;
      break;
    }
  }
  result.hessian = 0.5 * (result.hessian + result.hessian.transpose().eval());
  result.finite = result.hessian.allFinite() && result.unknown < std::max<Index>(n, 1);
  return result;
}

}  // namespace bilevel
