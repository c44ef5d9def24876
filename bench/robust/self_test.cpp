#include "self_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "judge.hpp"

namespace bilevel::robust {

namespace {

/// x or y of the problem from those of the game.
Vec to_problem(const RealVec& a, const Vec& units) {
  return (units.size() == 0 ? a : a.cwiseQuotient(extended(units)).eval()).cast<double>();
}

}  // namespace

std::string doubts(const Instance& instance) {
  std::string text;
  const auto& problem = instance.problem;
  const auto& units = instance.units;
  const auto& game = *instance.game;
  for (const auto* point : {&instance.start, &instance.reference}) {
    const char* place = point == &instance.start ? "start" : "reference";
    const Vec x = to_problem(point->x, units.x), y = to_problem(point->y, units.y);
    // Rounding of y and of g_y's terms, which cancel, is H's size times y's.
    const auto linear = problem.lower->linearize(x, y);
    const Vec gradient = problem.lower->grad_y(x, y);
    Vec terms = problem.lower->grad_y(x, Vec::Zero(y.size())).cwiseAbs();
    for (Index j = 0; j < y.size(); ++j) terms += (linear.hess_yy(Vec::Unit(y.size(), j)) * y[j]).cwiseAbs();
    for (Index i = 0; i < x.size(); ++i) terms += (linear.hess_yx(Vec::Unit(x.size(), i)) * x[i]).cwiseAbs();
    if ((gradient.array().abs() > 1e-11 * terms.array() + 1e-13 * units.g).any()) {
      text += fmt::format("  {}: |g_y| = {:.3g} at the answer, terms {:.3g}\n", place, norm(gradient), norm(terms));
    }
    const double f = problem.upper->value(x, y), expected = static_cast<double>(units.f * point->value + units.shift_f);
    const double size = std::abs(units.shift_f) + units.f * std::abs(static_cast<double>(point->value));
    if (std::abs(f - expected) > 1e-9 * (size + units.f * 1e-3)) {
      text += fmt::format("  {}: f = {:.17g}, the game says {:.17g}\n", place, f, expected);
    }
    // Along a random direction: differences of phi, and the problem's own oracles at the game's answers.
    Draw draw(7);
    RealVec direction = extended(draw.normal(point->x.size()));
    direction /= direction.norm();
    const Real step = 1e-7L * (1 + point->x.norm());
    Real sides[2] = {0, 0};
    RealVec bend = RealVec::Zero(direction.size());  // derivative of the slope along the direction
    bool exists = true;
    for (const int side : {0, 1}) {
      const RealVec moved = point->x + (side == 0 ? -step : step) * direction;
      const auto answer = game.answer(moved, point->y);
      exists = exists && answer;
      if (!answer) continue;
      sides[side] = game.upper(moved, *answer);
      bend += (side == 0 ? -1 : 1) * game.value_slope(moved, *answer) / (2 * step);
    }
    if (!exists) continue;
    const Real difference = (sides[1] - sides[0]) / (2 * step);
    const Real slope = game.value_slope(point->x, point->y).dot(direction);
    const Real slopes =
        game.value_slope(point->x, point->y).norm() + game.value_slope(instance.start.x, instance.start.y).norm();
    if (std::abs(difference - slope) > 1e-6L * slopes + 1e-11L * std::abs(point->value) / (1e7L * step) + 1e-8L) {
      text += fmt::format("  {}: slope {:.9g}, differences {:.9g}\n", place, static_cast<double>(slope),
                          static_cast<double>(difference));
    }
    const RealMat curvature = game.value_curvature(point->x, point->y);
    if ((curvature * direction - bend).norm() > 1e-4L * curvature.norm() + 1e-6L) {
      text += fmt::format("  {}: the Hessian along a direction {:.9g}, differences {:.9g}\n", place,
                          static_cast<double>((curvature * direction).norm()), static_cast<double>(bend.norm()));
    }
  }
  // What Newton's step promises still to gain at the reference.
  const auto& reference = instance.reference;
  const RealVec slope = game.value_slope(reference.x, reference.y);
  const Real promise = slope.dot(Eigen::LDLT<RealMat>(game.value_curvature(reference.x, reference.y)).solve(slope)) / 2;
  if (promise > 1e-7L * (instance.start.value - reference.value) + 1e-15L * std::abs(reference.value)) {
    text += fmt::format("  at the reference {:.3g} is left to gain\n", static_cast<double>(promise));
  }
  if (!is_local_minimum(instance, instance.reference)) text += "  the reference is no local minimum\n";
  const auto verdict =
      judge(instance, to_problem(instance.reference.x, units.x), to_problem(instance.reference.y, units.y));
  if (!verdict.solved()) text += fmt::format("  the judge refuses the reference: {}\n", verdict.why);
  return text;
}

}  // namespace bilevel::robust
