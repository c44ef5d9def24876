#include "judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace bilevel::robust {

namespace {

constexpr Real kShare = 1e-6L;  // of what the leader can gain: solved

/// Differences of f that its own rounding in double makes: f is a sum of terms of about its size at the two points,
/// plus the constant that other units add.
Real rounding(const Instance& instance, Real value) {
  const Real terms = std::abs(value) + std::abs(instance.start.value) + std::abs(instance.reference.value) +
                     std::abs(Real(instance.units.shift_f) / instance.units.f);
  return 16 * std::numeric_limits<double>::epsilon() * terms;
}

/// |g_y| at (x, y) in the game's units.
Real residual_at(const Instance& instance, const Vec& x, const Vec& y) {
  Vec gradient = instance.problem.lower->grad_y(x, y);
  if (instance.units.y.size() > 0) gradient = gradient.cwiseQuotient(instance.units.y);
  return extended(gradient).norm() / Real(instance.units.g);
}

}  // namespace

bool is_local_minimum(const Instance& instance, const Point& at) {
  DescentOptions options;
  const auto gained = [&](const Point& below) {
    return at.value - below.value > kShare * (instance.start.value - below.value) + rounding(instance, at.value);
  };
  options.enough = gained;
  options.negligible = (kShare * (instance.start.value - at.value) + rounding(instance, at.value)) / 1000;
  // Entries that have gone to infinity are judged from where their slope still counts: outwards it may fall for ever,
  // inwards it must not.
  Point from = at;
  if (const Real edge = Real(instance.far) + 3; at.x.cwiseAbs().maxCoeff() > edge) {
    from.x = at.x.cwiseMax(-edge).cwiseMin(edge);
    const auto answer = instance.game->answer(from.x, at.y);
    if (!answer) return false;
    from = {from.x, *answer, instance.game->upper(from.x, *answer)};
  }
  const auto descent = descend(*instance.game, from, options);
  return descent.minimum && !gained(descent.end);
}

Verdict judge(const Instance& instance, const Vec& x, const Vec& y) {
  Verdict verdict;
  const auto& problem = instance.problem;
  const Real nan = std::numeric_limits<Real>::quiet_NaN();
  verdict.value = verdict.excess = verdict.gap = verdict.residual = nan;
  if (x.size() != problem.dim_x() || y.size() != problem.dim_y() || !all_finite(x) || !all_finite(y)) {
    verdict.why = "no finite answer";
    return verdict;
  }
  const RealVec game_x = instance.game_x(x), game_y = instance.game_y(y);
  const auto answer = instance.game->answer(game_x, game_y);
  if (!answer || !answer->allFinite()) {
    verdict.why = "the follower has no answer to this x";
    verdict.worse = true;
    return verdict;
  }
  const Point at{game_x, *answer, instance.game->upper(game_x, *answer)};
  const Real gain = std::max<Real>(instance.start.value - instance.reference.value, 0);
  const Real noise = rounding(instance, at.value), above = at.value - instance.reference.value;
  const Real share = std::max(gain, noise);
  verdict.value = at.value;
  verdict.excess = above / share;
  verdict.worse = at.value > instance.start.value + kShare * gain + noise;
  verdict.beaten = !instance.several_solutions && above < -kShare * gain - noise;

  const Real gap = std::abs(instance.game->upper(game_x, game_y) - at.value);
  verdict.gap = gap / share;
  const Real size = std::max({residual_at(instance, problem.x0, problem.y0), residual_at(instance, x, problem.y0),
                              residual_at(instance, x, Vec::Zero(y.size()))});
  verdict.residual = residual_at(instance, x, y) / std::max(size, std::numeric_limits<Real>::min());
  verdict.follower = verdict.residual <= kShare && gap <= instance.answer_tolerance * gain + noise;

  verdict.leader = above <= kShare * gain + noise;
  if (!verdict.leader && instance.several_solutions && !verdict.worse &&
      instance.game->same_branch(*answer, instance.start.y)) {
    verdict.leader = is_local_minimum(instance, at);
  }
  if (!verdict.leader) verdict.why = verdict.worse ? "worse than the start" : "x is no solution";
  if (!verdict.follower) verdict.why += std::string(verdict.why.empty() ? "" : ", ") + "y is not the follower's answer";
  return verdict;
}

}  // namespace bilevel::robust
