#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <Eigen/Eigenvalues>

#include "diagnostics/critical_points_deflated.hpp"
#include "diagnostics/critical_points_search.hpp"
#include "diagnostics/critical_points_starts.hpp"
#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

namespace {

/// Points with a singular H are known less exactly, so they are one point over this times the diameter.
constexpr double kDegenerateRadius = 1e-3;
/// Critical points that are not isolated: as many are listed.
constexpr std::size_t kRepresentatives = 4;

class NewtonSearch {
 public:
  NewtonSearch(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options,
               const Objective* upper)
      : lower_(lower),
        x_(x),
        box_(box),
        options_(options),
        upper_(upper),
        newton_(lower, x, box),
        diameter_(box.diameter()) {}

  CriticalPoints run() {
    const Index batch = first_batch();
    constexpr Index kMostBatches = 20, kHopelessBatches = 3, kDeflatedShare = 4, kMostDeflated = 200;
    constexpr double kHopeless = 0.5;
    ScrambledHalton starts(box_, options_.seed);
    std::vector<Vec> first;
    std::vector<double> sizes;
    for (Index k = 0; k < batch; ++k) {
      first.push_back(starts.next());
      const double size = norm(newton_.gradient(first.back()));
      if (std::isfinite(size)) sizes.push_back(size);
    }
    finite_ = static_cast<Index>(sizes.size());
    const double size = typical_size(std::move(sizes));
    if (finite_ == batch && size == 0) return flat(batch);
    newton_.set_zero(options_.tolerance * size);

    for (Index k = 0; k < kMostBatches * batch; ++k) {
      // Enough once the last half of all starts, and a batch at least, found nothing new.
      if (k >= batch && 2 * last_new_ <= k) break;
      if (k == kHopelessBatches * batch && chance_of_new() > kHopeless) break;
      const Vec start = k < batch ? first[static_cast<std::size_t>(k)] : starts.next();
      ++starts_;
      if (const auto y = newton_.run(start, {})) record(*y, true);
      const auto known = static_cast<Index>(found_.size());
      if (k % kDeflatedShare == 0 && known > 0 && known <= kMostDeflated) {
        if (const auto far = newton_.run(start, known_points())) {
          if (const auto y = newton_.run(*far, {})) record(*y, false);
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

  std::vector<Vec> known_points() const {
    std::vector<Vec> points;
    for (const Found& found : found_) points.push_back(found.point.y);
    return points;
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
      const auto other = newton_.run(point.y + side * solver.eigenvectors().col(nearest), {});
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
    result.gradients = newton_.gradients();
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
    result.gradients = newton_.gradients();
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
  DeflatedNewton newton_;
  double diameter_;
  Index starts_ = 0, last_new_ = 0, successes_ = 0, outside_ = 0, crowd_ = 0, finite_ = 0;
  std::vector<Found> found_;
};

}  // namespace

CriticalPoints search_newton(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options,
                             const Objective* upper) {
  return NewtonSearch(lower, x, box, options, upper).run();
}

}  // namespace bilevel
