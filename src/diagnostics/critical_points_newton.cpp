#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>

#include "diagnostics/critical_points_search.hpp"
#include "diagnostics/critical_points_starts.hpp"
#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();
/// Points with a singular H are known less exactly, so they are one point over this times the diameter.
constexpr double kDegenerateRadius = 1e-3;
/// Critical points that are not isolated: as many are listed.
constexpr std::size_t kRepresentatives = 4;

/// Newton's direction for F = g_y; Levenberg's where H is too near to singular for it.
Vec newton_direction(const Eigen::MatrixXd& hessian, const Vec& residual) {
  constexpr double kSolved = 1e-6, kDamping = 1e-6;
  Vec direction = -hessian.partialPivLu().solve(residual);
  if (direction.allFinite() && norm(hessian * direction + residual) <= kSolved * norm(residual)) return direction;
  Eigen::MatrixXd normal = hessian * hessian;
  normal.diagonal().array() += kDamping * std::max(normal.trace(), std::numeric_limits<double>::min());
  return -normal.partialPivLu().solve(hessian * residual);
}

class NewtonSearch {
 public:
  NewtonSearch(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options,
               const Objective* upper)
      : lower_(lower), x_(x), box_(box), options_(options), upper_(upper), diameter_(box.diameter()) {}

  CriticalPoints run() {
    const Index batch = first_batch();
    constexpr Index kMostBatches = 20, kHopelessBatches = 3, kDeflatedShare = 4, kMostDeflated = 200;
    constexpr double kHopeless = 0.5;
    ScrambledHalton starts(box_, options_.seed);
    std::vector<Vec> first;
    std::vector<double> sizes;
    for (Index k = 0; k < batch; ++k) {
      first.push_back(starts.next());
      const double size = norm(gradient(first.back()));
      if (std::isfinite(size)) sizes.push_back(size);
    }
    finite_ = static_cast<Index>(sizes.size());
    size_ = typical_size(std::move(sizes));
    if (finite_ == batch && size_ == 0) return flat(batch);

    for (Index k = 0; k < kMostBatches * batch; ++k) {
      // Enough once the last half of all starts, and a batch at least, found nothing new.
      if (k >= batch && 2 * last_new_ <= k) break;
      if (k == kHopelessBatches * batch && chance_of_new() > kHopeless) break;
      const Vec start = k < batch ? first[static_cast<std::size_t>(k)] : starts.next();
      ++starts_;
      if (const auto y = newton(start, false)) record(*y, true);
      const auto known = static_cast<Index>(found_.size());
      if (k % kDeflatedShare == 0 && known > 0 && known <= kMostDeflated) {
        if (const auto far = newton(start, true)) {
          if (const auto y = newton(*far, false)) record(*y, false);
        }
      }
    }
    return report();
  }

 private:
  struct Found {
    CriticalPoint point;
    Index hits = 0;     // of runs without deflation
    double radius = 0;  // runs that end within this found the same point
  };

  Vec gradient(const Vec& y) {
    ++gradients_;
    return lower_.grad_y(x_, y);
  }

  /// d/dy log M(y) for the deflation M = prod (1 / |y - y_i|^2 + 1), and log M itself.
  std::pair<Vec, double> deflation(const Vec& y) const {
    Vec slope = Vec::Zero(y.size());
    double logarithm = 0;
    for (const Found& found : found_) {
      const Vec away = y - found.point.y;
      // Distances count in diameters, so that the size of the box does not matter.
      const double square = std::max(away.squaredNorm() / (diameter_ * diameter_), std::numeric_limits<double>::min());
      logarithm += std::log1p(1 / square);
      slope -= 2 / (square * (1 + square) * diameter_ * diameter_) * away;
    }
    return {slope, logarithm};
  }

  /// The critical point that Newton's method reaches from `start`, damped so that |g_y| (times M, if deflated) falls.
  std::optional<Vec> newton(const Vec& start, bool deflated) {
    constexpr int kMaxSteps = 60, kMaxHalvings = 12;
    constexpr double kFalls = 1e-4, kLongestStep = 0.5, kStillMoving = 1e-5, kRounding = 1e-15, kStray = 1;
    Vec y = start;
    double last_step = kNone, size = kNone;
    for (int step = 0; step < kMaxSteps; ++step) {
      ++gradients_;
      const auto at = lower_.linearize(x_, y, full, Oracle::grad_y);
      const Vec& residual = *at.evaluation().grad_y;
      size = norm(residual);
      if (!std::isfinite(size)) return std::nullopt;
      if (size == 0) return y;
      const Eigen::MatrixXd hessian = dense_hessian(at, lower_.dim_y());
      if (!hessian.allFinite()) return std::nullopt;
      Vec direction = newton_direction(hessian, residual);
      double merit = std::log(size);
      if (deflated) {
        // Newton's step of M g_y is a multiple of that of g_y, by the formula of Sherman and Morrison.
        const auto [slope, logarithm] = deflation(y);
        direction /= 1 - dot(slope, direction);
        merit += logarithm;
      }
      double length = norm(direction);
      if (!std::isfinite(length)) return std::nullopt;
      if (length > kLongestStep * diameter_) {
        direction *= kLongestStep * diameter_ / length;
        length = kLongestStep * diameter_;
      }
      if (length <= kRounding * std::max(diameter_, norm(y))) return settled(y, size, length);

      double fraction = 1;
      bool accepted = false;
      for (int halving = 0; halving < kMaxHalvings && !accepted; ++halving, fraction *= 0.5) {
        const Vec trial = y + fraction * direction;
        const double next = norm(gradient(trial));
        const double next_merit = std::log(next) + (deflated ? deflation(trial).second : 0.0);
        if (next_merit <= merit + std::log1p(-kFalls * fraction)) {
          y = trial;
          last_step = fraction * length;
          accepted = true;
        } else if (size <= options_.tolerance * size_) {
          // Small already: what stops it from falling further is rounding.
          return settled(y, size, length);
        }
      }
      if (!accepted || !box_.contains(y, kStray)) return std::nullopt;
    }
    if (last_step > kStillMoving * diameter_) return std::nullopt;
    return settled(y, size, last_step);
  }

  /// y if it is a zero of g_y, not only a place where g_y is small: Newton's step must be small as well.
  std::optional<Vec> settled(const Vec& y, double size, double step) const {
    constexpr double kSmallStep = 1e-5;
    if (size > options_.tolerance * size_ || step > kSmallStep * diameter_) return std::nullopt;
    return y;
  }

  void record(const Vec& y, bool plain) {
    if (!box_.contains(y, kBoxMargin)) {
      ++outside_;
      return;
    }
    if (plain) ++successes_;
    for (Found& found : found_) {
      if (norm(found.point.y - y) <= found.radius) {
        if (plain) ++found.hits;
        return;
      }
    }
    CriticalPoint point = classify(lower_, x_, y, options_.degenerate_tolerance, upper_);
    const bool degenerate = point.kind == CriticalKind::degenerate;
    if (degenerate && !isolated(point)) {
      ++crowd_;
      point.isolated = false;
      const auto listed = std::count_if(found_.begin(), found_.end(), [](const Found& f) { return !f.point.isolated; });
      if (static_cast<std::size_t>(listed) >= kRepresentatives) return;
    }
    found_.push_back({std::move(point), plain, (degenerate ? kDegenerateRadius : options_.merge_distance) * diameter_});
    last_new_ = starts_;
  }

  /// Steps away along a direction of the kernel: does Newton's method come back, or end at another point with singular
  /// H about as far away as it started?
  bool isolated(const CriticalPoint& point) {
    constexpr double kAside = 1e-2, kStays = 0.2, kStrays = 3;
    const Eigen::MatrixXd hessian = dense_hessian(lower_.linearize(x_, point.y), lower_.dim_y());
    if (!hessian.allFinite()) return true;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(hessian);
    Index nearest = 0;
    solver.eigenvalues().cwiseAbs().minCoeff(&nearest);
    const double aside = kAside * diameter_;
    for (const double side : {aside, -aside}) {
      const auto other = newton(point.y + side * solver.eigenvectors().col(nearest), false);
      if (!other) continue;
      const double moved = norm(*other - point.y);
      if (moved < kStays * aside || moved > kStrays * aside) continue;
      if (classify(lower_, x_, *other, options_.degenerate_tolerance).kernel > 0) return false;
    }
    return true;
  }

  Index hit_once() const {
    return std::count_if(found_.begin(), found_.end(), [](const Found& found) { return found.hits == 1; });
  }
  double chance_of_new() const {
    return successes_ == 0 ? 0 : static_cast<double>(hit_once()) / static_cast<double>(successes_);
  }

  CriticalPoints flat(Index points) {
    CriticalPoints result;
    result.points.push_back(classify(lower_, x_, box_.centre(), options_.degenerate_tolerance, upper_));
    result.points.back().isolated = false;
    result.settled = true;
    result.starts = points;
    result.gradients = gradients_;
    result.completeness = fmt::format(
        "g_y is zero at all {} points that were looked at: every point seems critical, and the centre of the box "
        "stands "
        "for them.",
        points);
    return result;
  }

  CriticalPoints report() const {
    CriticalPoints result;
    for (const Found& found : found_) result.points.push_back(found.point);
    // Without a single number of g_y nothing was searched.
    result.settled = finite_ > 0 && 2 * last_new_ <= starts_;
    result.starts = starts_;
    result.gradients = gradients_;
    std::string& text = result.completeness;
    if (successes_ == 0) {
      text = fmt::format("None of {} runs of Newton's method ended at a critical point in the box", starts_);
    } else {
      text = fmt::format(
          "{} points from {} runs of Newton's method, the last new one in run {}; {} were hit once in {} hits, so the "
          "next hit would be a new point with a chance of about {:.2g} (Good and Turing)",
          found_.size(), starts_, last_new_, hit_once(), successes_, chance_of_new());
    }
    if (!result.settled && finite_ > 0) text += "; new points were still coming when the search ended";
    if (crowd_ > 0) {
      text += fmt::format(
          "; the critical set is not discrete: {} runs ended at points with others beside them, of which at most {} "
          "are "
          "listed",
          crowd_, kRepresentatives);
    }
    if (const Index lost = first_batch() - finite_; lost > 0) {
      text += fmt::format("; g_y is not a number at {} of the first {} starts", lost, first_batch());
    }
    if (outside_ > 0) text += fmt::format("; {} runs ended outside the box and were dropped", outside_);
    text += ".";
    return result;
  }

  Index first_batch() const { return options_.starts > 0 ? options_.starts : 64 + 32 * lower_.dim_y(); }

  const Objective& lower_;
  const Vec& x_;
  const Box& box_;
  const CriticalPointOptions& options_;
  const Objective* upper_;
  double diameter_, size_ = 0;
  Index gradients_ = 0, starts_ = 0, last_new_ = 0, successes_ = 0, outside_ = 0, crowd_ = 0, finite_ = 0;
  std::vector<Found> found_;
};

}  // namespace

CriticalPoints search_newton(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options,
                             const Objective* upper) {
  return NewtonSearch(lower, x, box, options, upper).run();
}

}  // namespace bilevel
