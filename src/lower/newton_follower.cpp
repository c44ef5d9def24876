#include "lower/newton_follower.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace bilevel {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kArmijo = 1e-4, kWolfe = 0.9;
constexpr int kLineSearchSteps = 60;
constexpr double kEndless = 0x1p50;  // a step that long and still downhill: there is no minimiser this way

/// The Newton direction at a formed point, and what it says about the distance to a minimiser.
struct Direction {
  Vec p;                     // R^m
  bool curved_down = false;  // H has an eigenvalue below zero by more than rounding
  bool settled = false;      // every part of g_y that H can see is rounding
};

/// Largest |p_j| / scale_j; a coordinate without any scale counts where it moves at all.
double relative_length(const Vec& p, const Vec& scale) {
  double most = 0;
  for (Index j = 0; j < p.size(); ++j) {
    if (p[j] != 0) most = std::max(most, std::abs(p[j]) / scale[j]);
  }
  return most;
}

Direction newton_direction(const FormedFollower& at, const Vec& scale, const Vec& start) {
  const auto& spectrum = at.spectrum;
  const Vec& lambda = spectrum.eigenvalues();
  const double zero = spectrum.rounding();
  const Vec c = spectrum.coordinates(at.gradient);
  const Vec noise = spectrum.eigenvectors().cwiseAbs().transpose() * at.noise.cwiseQuotient(spectrum.scale());
  Direction result{.p = {}, .curved_down = lambda[0] < -zero, .settled = true};
  Vec d(c.size());
  for (Index k = 0; k < c.size(); ++k) {
    const bool rounding = std::abs(c[k]) <= noise[k];
    result.settled = result.settled && rounding;
    d[k] = rounding && !(lambda[k] > zero) ? 0 : -c[k] / std::max(std::abs(lambda[k]), zero > 0 ? zero : 1);
  }
  result.p = spectrum.direction(d);
  if (!result.curved_down || !result.settled) return result;
  // At a saddle or a maximum: by a small share of y's own scale back towards the start, as far as H curves downwards
  // that way, for the descent from there would have ended on that side; else along the most negative curvature.
  constexpr double kPush = 1e-3, kSeen = 1e-6;
  Vec back = spectrum.eigenvectors().transpose() * spectrum.scale().cwiseProduct(start - at.y);
  const double whole = norm(back);
  for (Index k = 0; k < back.size(); ++k) {
    if (!(lambda[k] < -zero)) back[k] = 0;
  }
  const bool seen = norm(back) > kSeen * whole;
  Vec v = spectrum.direction(seen ? back : Vec(Vec::Unit(c.size(), 0)));
  // A coordinate without a unit of its own has that of the others, or 1 if none has any.
  const double general = scale.maxCoeff() > 0 ? scale.maxCoeff() : 1;
  v *= kPush / relative_length(v, scale.unaryExpr([general](double unit) { return unit > 0 ? unit : general; }));
  result.p = !seen && dot(at.gradient, v) > 0 ? Vec(-v) : v;
  return result;
}

/// A search along p from `at`: weak Wolfe, but along negative curvature only a fall is asked for.
struct Search {
  Vec y;
  bool found = false, endless = false;
  double step = 0;
  double value = 0, gradient_before = 0, gradient_after = 0;  // |g_y| in H's units
};

Search search_line(const Objective& lower, const Vec& x, const FormedFollower& at, const Direction& direction,
                   const Vec& scale) {
  const double rounding = std::max(8 * kEpsilon, lower.rounding());
  const double slope = dot(at.gradient, direction.p);
  const auto in_units = [&](const Vec& gradient) { return norm(gradient.cwiseQuotient(at.spectrum.scale())); };
  Search result;
  result.gradient_before = in_units(at.gradient);
  double step = 1, too_short = 0, too_long = std::numeric_limits<double>::infinity();
  double best = at.value;
  for (int i = 0; i < kLineSearchSteps; ++i) {
    const Vec trial = at.y + step * direction.p;
    const auto next = lower.evaluate(Oracle::value | Oracle::grad_y, x, trial);
    const double value = *next.value, next_slope = dot(*next.grad_y, direction.p);
    const double length = in_units(*next.grad_y);
    const bool finite = std::isfinite(value) && all_finite(*next.grad_y);
    // Where the value's fall drowns in its rounding, the slopes or the gradient's length still tell it.
    const bool level = value <= at.value + rounding * std::abs(at.value);
    const bool falls =
        direction.curved_down && !(slope < 0)
            ? value < best
            : value <= at.value + kArmijo * step * slope ||
                  (level && (next_slope <= (2 * kArmijo - 1) * slope || length < 0.5 * result.gradient_before));
    if (!finite || !falls) {
      too_long = step;
      if (result.found && direction.curved_down) break;  // the last one was the lowest
    } else {
      result.found = true;
      result.y = trial;
      result.step = step;
      result.value = best = value;
      result.gradient_after = length;
      too_short = step;
      const bool long_enough = direction.curved_down ? next_slope >= 0 : next_slope >= kWolfe * slope;
      if (long_enough) break;
      // Off a hill the first steps may be as short as the rounding that left y beside its top.
      const double far = direction.curved_down ? relative_length(step * direction.p, scale) : step;
      if (far >= kEndless) {
        result.endless = true;
        break;
      }
    }
    step = std::isinf(too_long) ? (direction.curved_down ? 4 : 2) * too_short : 0.5 * (too_short + too_long);
  }
  return result;
}

/// Whether g does not rise along p from y however far one goes.
bool falls_for_ever(const Objective& lower, const Vec& x, const FormedFollower& at, const Vec& p) {
  constexpr int kLengths = 24;
  double last = at.value, step = 1;
  int falls = 0;
  for (int k = 0; k < kLengths; ++k, step *= 4) {
    const double value = lower.value(x, at.y + step * p);
    if (std::isnan(value) || value > last || value == std::numeric_limits<double>::infinity()) return false;
    if (value < last) ++falls;
    last = value;
  }
  return falls > 0;
}

class Solve {
 public:
  Solve(const Objective& lower, const Vec& x, const Vec& start, const FollowerOptions& options)
      : lower_(lower), x_(x), start_(start), options_(options) {
    answer_.scale = largest_ = start.cwiseAbs();
    answer_.at = form_follower(lower, x, start);
  }

  FollowerAnswer run() {
    if (!answer_.at.finite) return finish(Status::nonfinite, "g or a derivative of it is not finite at the start");
    for (;; ++answer_.iterations) {
      if (options_.interrupt && options_.interrupt->load()) return finish(Status::interrupted, "");
      const auto direction = newton_direction(answer_.at, answer_.scale, start_);
      const Vec scale = answer_.scale.cwiseMax(direction.p.cwiseAbs());
      answer_.distance = direction.settled && !direction.curved_down ? 0 : relative_length(direction.p, scale);
      // Once more where only the last move makes the next one look short: y may be far smaller than that move.
      const bool short_step = answer_.distance <= kSettled;
      const bool settled = relative_length(direction.p, answer_.at.y.cwiseAbs().cwiseMax(1e-300)) <= kSettled ||
                           (short_step && was_short_);
      was_short_ = short_step;
      if (!direction.curved_down && (direction.settled || settled)) return finish(Status::converged, "");
      if (answer_.iterations >= options_.max_iterations) {
        return finish(answer_.distance <= kNearly && !direction.curved_down ? Status::converged : Status::lower_failed,
                      "the iterations are used up");
      }
      if (runs_away(direction)) {
        return finish(Status::diverged, fmt::format("g falls for ever along {}: the follower has no minimiser this way",
                                                    direction_text(direction.p)));
      }
      if (auto ended = advance(direction)) return std::move(*ended);
    }
  }

 private:
  // Newton's step in units of y: below the first it is rounding, below the second what rounding of g_y may leave of an
  // ill-conditioned answer.
  static constexpr double kSettled = 1e-14, kNearly = 1e-4;

  std::optional<FollowerAnswer> advance(const Direction& direction) {
    if (auto y = extrapolated(direction)) return move_to(std::move(*y));
    auto found = search_line(lower_, x_, answer_.at, direction, answer_.scale.cwiseMax(direction.p.cwiseAbs()));
    if (found.endless) {
      return finish(Status::diverged,
                    fmt::format("g falls without bound along {}: the follower has no minimiser this way",
                                direction_text(direction.p)));
    }
    if (!found.found || idle(found)) {
      // No step lowers g or |g_y| any more: rounding, if Newton's step is small in y's own scale.
      const bool near = !direction.curved_down && answer_.distance <= kNearly;
      return finish(near ? Status::converged : Status::lower_failed, "no step lowers g further");
    }
    last_ = found.step == 1 && !direction.curved_down ? direction.p : Vec();
    return move_to(std::move(found.y));
  }

  std::optional<FollowerAnswer> move_to(Vec y) {
    // The unit of y_j is where it is and how it moves; what it once was counts little, or a start at 1e8 would blur an
    // answer at 1e-8.
    constexpr double kForgotten = 1e-10;
    largest_ = largest_.cwiseMax(y.cwiseAbs());
    answer_.scale = y.cwiseAbs().cwiseMax((y - answer_.at.y).cwiseAbs()).cwiseMax(kForgotten * largest_);
    auto next = form_follower(lower_, x_, y);
    if (!next.finite) return finish(Status::nonfinite, "a derivative of g is not finite on the way");
    answer_.at = std::move(next);
    return {};
  }

  /// Where Newton's steps shrink by a factor r_j in a coordinate, they end 1 / (1 - r_j) times as far away: at a
  /// minimum that is flat to order p, r = (p - 2) / (p - 1). Taken where |g_y| falls by more than plain steps would
  /// make it, and never twice in a row: the factors have to be seen again.
  std::optional<Vec> extrapolated(const Direction& direction) {
    constexpr double kLeast = 0.4, kMost = 0.95, kPays = 0.25;
    if (direction.curved_down || last_.size() == 0) return {};
    Vec p = direction.p;
    bool any = false;
    for (Index j = 0; j < p.size(); ++j) {
      const double ratio = last_[j] != 0 ? p[j] / last_[j] : 0;
      if (!(ratio > kLeast && ratio < kMost)) continue;
      p[j] /= 1 - ratio;
      any = true;
    }
    if (!any) return {};
    const auto there = lower_.evaluate(Oracle::value | Oracle::grad_y, x_, answer_.at.y + p);
    const auto length = [&](const Vec& gradient) { return norm(gradient.cwiseQuotient(answer_.at.spectrum.scale())); };
    const bool level = *there.value <= answer_.at.value + 8 * kEpsilon * std::abs(answer_.at.value);
    if (!level || !all_finite(*there.grad_y) || !(length(*there.grad_y) < kPays * length(answer_.at.gradient)))
      return {};
    last_.resize(0);
    answer_.flat = true;
    return answer_.at.y + p;
  }

  /// Counts iterations in which neither g nor |g_y| fell by more than rounding.
  bool idle(const Search& found) {
    constexpr int kPatience = 4;
    const double rounding = 8 * kEpsilon * std::abs(answer_.at.value);
    const bool progress =
        found.value < answer_.at.value - rounding || found.gradient_after < 0.5 * found.gradient_before;
    idle_ = progress ? 0 : idle_ + 1;
    return idle_ >= kPatience;
  }

  /// Every few iterations in which Newton's step did not shrink: an infimum at infinity looks like that.
  bool runs_away(const Direction& direction) {
    constexpr Index kPatience = 8;
    lengths_.push_back(norm(direction.p));
    const auto count = static_cast<Index>(lengths_.size());
    if (count % kPatience != 0 || direction.curved_down) return false;
    if (lengths_.back() < 0.5 * lengths_[static_cast<std::size_t>(count - kPatience)]) return false;
    return falls_for_ever(lower_, x_, answer_.at, direction.p);
  }

  FollowerAnswer finish(Status status, const std::string& why) {
    answer_.status = status;
    answer_.message = fmt::format(
        "{} after {} Newton iterations: |g_y| = {:.3g}{}{}", to_string(status), answer_.iterations,
        answer_.at.gradient.size() > 0 ? norm(answer_.at.gradient) : std::numeric_limits<double>::quiet_NaN(),
        why.empty() ? "" : ", ", why);
    return std::move(answer_);
  }

  const Objective& lower_;
  const Vec& x_;
  const Vec& start_;
  FollowerOptions options_;
  FollowerAnswer answer_;
  int idle_ = 0;
  bool was_short_ = false;
  Vec last_;     // the last plain Newton step
  Vec largest_;  // |y_j| so far
  std::vector<double> lengths_;
};

}  // namespace

FormedFollower form_follower(const Objective& lower, const Vec& x, const Vec& y) {
  const Index n = lower.dim_x(), m = lower.dim_y();
  FormedFollower at;
  at.y = y;
  const auto linearized = lower.linearize(x, y, full, Oracle::value | Oracle::grad_y);
  at.value = *linearized.evaluation().value;
  at.gradient = *linearized.evaluation().grad_y;
  if (!std::isfinite(at.value) || !all_finite(at.gradient)) return at;
  Eigen::MatrixXd hessian(m, m);
  at.cross.resize(n, m);
  for (Index j = 0; j < m; ++j) {
    const auto products = linearized.both(Vec::Unit(m, j));
    hessian.col(j) = products.hess_yy;
    at.cross.col(j) = products.hess_xy;
  }
  at.hessian = 0.5 * (hessian + hessian.transpose());
  at.finite = at.hessian.allFinite() && at.cross.allFinite();
  if (!at.finite) return at;
  at.spectrum = ScaledSpectrum(at.hessian);
  constexpr double kRoundings = 0.5;
  at.noise = kRoundings * std::max(kEpsilon, lower.rounding()) *
             (at.hessian.cwiseAbs() * y.cwiseAbs() + at.cross.cwiseAbs().transpose() * x.cwiseAbs());
  return at;
}

CorrectedFollower correct_follower(const Objective& lower, const Vec& x, Vec y, const FormedFollower& at, int most) {
  constexpr double kPays = 0.1, kAboveNoise = 1000;
  const auto& spectrum = at.spectrum;
  const double noise = kAboveNoise * norm(at.noise.cwiseQuotient(spectrum.scale()));
  double last = std::numeric_limits<double>::infinity();
  for (int i = 0; i < most; ++i) {
    const Vec slope = lower.grad_y(x, y);
    if (!all_finite(slope)) return {std::move(y), false};
    const double length = norm(spectrum.coordinates(slope));
    if (length == 0) break;
    if (i > 0 && length > kPays * last) return {std::move(y), length <= noise};
    y -= spectrum.solve(slope);
    last = length;
  }
  return {std::move(y), true};
}

FollowerAnswer solve_follower(const Objective& lower, const Vec& x, const Vec& start, const FollowerOptions& options) {
  return Solve(lower, x, start, options).run();
}

std::string direction_text(const Vec& direction) {
  constexpr Index kShown = 4;
  const double most = direction.cwiseAbs().maxCoeff();
  std::string text = "(";
  for (Index j = 0; j < std::min(direction.size(), kShown); ++j) {
    text += fmt::format("{}{:.2g}", j > 0 ? ", " : "", most > 0 ? direction[j] / most : 0);
  }
  return text + (direction.size() > kShown ? ", ...)" : ")");
}

}  // namespace bilevel
