#include "methods/newton_moves.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/Eigenvalues>

#include "bilevel/random.hpp"
#include "hypergradient/leader_hessian.hpp"

namespace bilevel {

LeaderAnswer NewtonMoves::answer(const Vec& x, const Vec& start) {
  return answer_leader(problem_, x, start, s_.memory, options_.interrupt);
}

LeaderAnswer NewtonMoves::trial(const Vec& p) {
  constexpr int kCorrections =
      4;  // a gradient each, where an iteration of the follower's Newton method takes 2 m products
  const Vec x = s_.answer.x + p;
  Vec guess = s_.answer.y + s_.answer.response(p);
  if (s_.answer.formed && !s_.answer.flat) {
    auto corrected = correct_follower(*problem_.lower, x, guess, *s_.answer.formed, kCorrections);
    if (corrected.settled) guess = std::move(corrected.y);
  }
  const double here = problem_.lower->value(x, s_.answer.y);
  const double there = problem_.lower->value(x, guess);
  auto next = answer(x, there <= here ? guess : s_.answer.y);
  // The guess may have left the basin of the last answer: once more from where that was.
  if (!next.ok() && next.status != Status::interrupted && there <= here) next = answer(x, s_.answer.y);
  return next;
}

void NewtonMoves::accept(LeaderAnswer next) {
  constexpr double kForgotten = 1e-10;
  const Vec move = (next.x - s_.answer.x).cwiseAbs();
  s_.unit = next.x.cwiseAbs().cwiseMax(move).cwiseMax(kForgotten * s_.unit);
  s_.answer = std::move(next);
  s_.x = s_.answered_x = s_.answer.x;
  s_.y = s_.answer.y;
  s_.fresh = false;
}

bool NewtonMoves::measure() {
  if (!formed()) {
    // The curvature along h, by one difference: what the first step is long by.
    constexpr double kShare = 1e-6;
    const Vec& h = s_.answer.gradient;
    const double length = in_units(h);
    if (!(length > 0)) return true;
    const double t = -kShare / length;
    auto beside = answer(s_.answer.x + t * h, s_.answer.y);
    const double curvature = beside.ok() ? dot(h, beside.gradient - s_.answer.gradient) / t / h.squaredNorm() : 0;
    s_.first_step_size = curvature != 0 ? 1 / std::abs(curvature) : -t;
    s_.fresh = true;
    return true;
  }
  auto measured = leader_hessian(problem_, s_.answer, s_.memory, s_.difference_steps, options_.interrupt);
  if (!measured.finite) return false;
  s_.model = std::move(measured.hessian);
  const Vec own = s_.model.diagonal().cwiseAbs().cwiseSqrt();
  s_.largest_scale = s_.largest_scale.size() > 0 ? s_.largest_scale.cwiseMax(own) : own;
  s_.spectrum = ScaledSpectrum(s_.model);
  s_.fresh = true;
  return true;
}

bool NewtonMoves::measures_cheaply() const {
  return formed() && s_.answer.formed && !s_.answer.flat && s_.x.size() <= 2 * s_.y.size() + 10;
}

void NewtonMoves::learn(const LeaderAnswer& from, const LeaderAnswer& to) {
  const Vec move = to.x - from.x, change = to.gradient - from.gradient;
  if (!formed()) {
    s_.pairs.add(move, change);
    return;
  }
  constexpr double kLeast = 1e-8;
  const Vec missed = change - s_.model * move;
  const double along = dot(missed, move);
  const double sizes = s_.spectrum.length(move) * norm(s_.spectrum.coordinates(missed));
  if (!(std::abs(along) > kLeast * sizes)) return;
  s_.model += missed * missed.transpose() / along;
  s_.spectrum = ScaledSpectrum(s_.model);
  s_.fresh = false;
}

Vec NewtonMoves::newton_step() const {
  const Vec& h = s_.answer.gradient;
  if (!formed()) return s_.pairs.empty() ? Vec(-s_.first_step_size * h) : s_.pairs.direction(h);
  const auto& spectrum = s_.spectrum;
  Vec c = spectrum.coordinates(h);
  const double zero = spectrum.rounding();
  for (Index k = 0; k < c.size(); ++k) {
    const double curvature = std::max(std::abs(spectrum.eigenvalues()[k]), zero);
    c[k] = c[k] == 0 ? 0 : -c[k] / (curvature > 0 ? curvature : 1);
  }
  return spectrum.direction(c);
}

TrustRegionStep NewtonMoves::propose(double radius) const {
  if (formed()) return minimise_model(s_.spectrum, s_.answer.gradient, radius);
  TrustRegionStep step;
  const Vec p = newton_step();
  const double whole = norm(p), share = whole > radius ? radius / whole : 1;
  step.p = share * p;
  step.length = share * whole;
  step.inside = share == 1;
  step.decrease = -dot(s_.answer.gradient, step.p) * (1 - 0.5 * share);
  return step;
}

TrustRegionStep NewtonMoves::push(const Vec& p) const {
  TrustRegionStep step;
  step.p = p;
  step.length = length(p);
  step.decrease = -(dot(s_.answer.gradient, p) + 0.5 * dot(p, s_.model * p));
  return step;
}

double NewtonMoves::length(const Vec& p) const { return formed() ? s_.spectrum.length(p) : norm(p); }

Vec NewtonMoves::units() const {
  const double general = s_.unit.maxCoeff() > 0 ? s_.unit.maxCoeff() : 1;
  return s_.unit.unaryExpr([general](double unit) { return unit > 0 ? unit : general; });
}

double NewtonMoves::in_units(const Vec& p) const { return p.cwiseQuotient(units()).cwiseAbs().maxCoeff(); }

double NewtonMoves::rounding_of_upper(double other) const {
  constexpr double kRoundings = 8;
  return kRoundings * problem_.rounding() * std::max(std::abs(s_.answer.upper), std::abs(other));
}

double NewtonMoves::lag(const LeaderAnswer& next) const {
  if (!s_.answer.formed || s_.answer.flat) return 0;
  const auto& spectrum = s_.answer.formed->spectrum;
  const Vec went = next.y - s_.answer.y;
  const double far = spectrum.length(went);
  return far > 0 ? spectrum.length(went - s_.answer.response(next.x - s_.answer.x)) / far : 0;
}

LeaderAnswer NewtonMoves::look_along_flats(bool thorough) {
  const double flat = thorough ? 1e-2 : 1e-6;
  constexpr Index kMostDirections = 4;
  LeaderAnswer none;
  s_.flat = false;
  if (!formed()) return none;
  Vec scale = s_.largest_scale;
  const Vec unit = units();
  for (Index i = 0; i < scale.size(); ++i) {
    if (!(scale[i] > 0)) scale[i] = 1 / unit[i];
  }
  const Vec inverse = scale.cwiseInverse();
  const Eigen::MatrixXd scaled = inverse.asDiagonal() * s_.model * inverse.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled);
  const double largest = std::max(1.0, solver.eigenvalues().cwiseAbs().maxCoeff());
  for (Index k = 0; k < std::min(scale.size(), kMostDirections); ++k) {
    if (solver.eigenvalues()[k] > flat * largest) break;
    s_.flat = true;
    Vec v = inverse.cwiseProduct(solver.eigenvectors().col(k));
    v /= in_units(v);
    for (const double share : {1e-3, 1e-2, 1e-1, 1.0, 10.0}) {
      for (const double side : {-1.0, 1.0}) {
        auto beside = trial(side * share * v);
        if (beside.ok() && beside.upper < s_.answer.upper - rounding_of_upper(beside.upper)) return beside;
      }
    }
  }
  return none;
}

bool NewtonMoves::at_kink() {
  constexpr double kNear = 1e-7, kVanishes = 0.05;
  constexpr Index kMostLeaders = 50;
  constexpr int kIterations = 2000;
  const Index n = s_.x.size();
  if (n > kMostLeaders) return false;
  const Vec unit = units();
  constexpr double kJump = 0.1, kAboveNoise = 1e3;
  if (norm(s_.answer.gradient.cwiseProduct(unit)) <= kAboveNoise * norm(s_.answer.noise.cwiseProduct(unit)))
    return false;
  std::vector<Vec> gradients{s_.answer.gradient.cwiseProduct(unit)};
  Random random(1);
  double largest = norm(gradients.front()), jump = 0;
  for (Index i = 0; i < 2 * n + 4; ++i) {
    Vec p(n);
    for (Index j = 0; j < n; ++j)
      p[j] = n == 1 ? (i % 2 == 0 ? 1.0 : -1.0) * static_cast<double>(i / 2 + 1) : random.normal();
    auto beside = trial(kNear * p.cwiseProduct(unit));
    if (!beside.ok()) continue;
    if (beside.upper < s_.answer.upper - rounding_of_upper(beside.upper)) return false;
    gradients.push_back(beside.gradient.cwiseProduct(unit));
    largest = std::max(largest, norm(gradients.back()));
    jump = std::max(jump, norm(gradients.back() - gradients.front()));
  }
  if (jump < kJump * largest) return false;  // smooth, as far as these see
  // Where the rise beside a corner would drown in the rounding of f nothing was seen.
  if (kNear * largest < kAboveNoise * rounding_of_upper(s_.answer.upper)) return false;
  // The point of least norm in their convex hull.  [Gilbert 1966]
  Vec mean = gradients.front();
  for (int i = 0; i < kIterations; ++i) {
    const Vec* best = &gradients.front();
    for (const Vec& g : gradients) {
      if (dot(g, mean) < dot(*best, mean)) best = &g;
    }
    const Vec towards = *best - mean;
    const double share = std::clamp(-dot(mean, towards) / std::max(towards.squaredNorm(), 1e-300), 0.0, 1.0);
    if (share == 0) break;
    mean += share * towards;
  }
  return norm(mean) <= kVanishes * largest;
}

NewtonMoves::Tail NewtonMoves::tail(const Vec& p) {
  constexpr int kLengths = 14, kLeastFalls = 3;
  Tail found;
  double last = s_.answer.upper, step = 1, first_fall = 0, last_fall = 0;
  Vec y = s_.answer.y;
  int falls = 0;
  for (int k = 0; k < kLengths; ++k, step *= 4) {
    auto there = answer(s_.answer.x + step * p, y);
    if (!there.ok()) return {};
    const double fall = last - there.upper;
    if (fall < 0) return {};
    if (k == 0) first_fall = fall;
    last_fall = fall;
    last = there.upper;
    y = there.y;
    if (fall > rounding_of_upper(there.upper)) {
      ++falls;
      found.lowest = std::move(there);
    }
  }
  found.falls_for_ever = falls >= kLeastFalls;
  found.unbounded = found.falls_for_ever && last_fall > 4 * first_fall;
  return found;
}

}  // namespace bilevel
