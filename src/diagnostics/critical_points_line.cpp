#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "diagnostics/critical_points_root.hpp"
#include "diagnostics/critical_points_search.hpp"

namespace bilevel {

namespace {

/// The search for the roots of y -> g_y(x, y) on an interval.
class LineSearch {
 public:
  LineSearch(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options)
      : lower_(lower), x_(x), low_(box.low[0]), high_(box.high[0]), options_(options) {}

  CriticalPoints run(const Objective* upper) {
    sample();
    for (std::size_t i = 0; i < grid_.size();) i = isfinite(i) ? examine(i) : i + 1;
    ends();
    return report(upper);
  }

 private:
  /// From a cell to neighbouring numbers a continuous function shrinks by this at least, even a cube root.
  static constexpr double kShrinks = 2e-3;

  struct Root {
    double y;
    bool isolated;
  };

  double gradient(double y) {
    ++gradients_;
    return lower_.grad_y(x_, Vec::Constant(1, y))[0];
  }
  double curvature(double y) const { return lower_.hess_yy(x_, Vec::Constant(1, y), Vec::Ones(1))[0]; }
  bool isfinite(std::size_t i) const { return std::isfinite(values_[i]); }
  double cell() const { return (high_ - low_) / static_cast<double>(options_.resolution); }

  void sample() {
    const auto cells = static_cast<std::size_t>(options_.resolution);
    std::vector<double> sizes;
    for (std::size_t i = 0; i <= cells; ++i) {
      grid_.push_back(i == cells ? high_ : low_ + static_cast<double>(i) * cell());
      values_.push_back(gradient(grid_[i]));
      if (isfinite(i)) sizes.push_back(std::abs(values_[i]));
    }
    finite_ = sizes.size();
    zero_ = options_.tolerance * typical_size(std::move(sizes));
  }

  /// What happens at grid point i and in the cell after it; returns the grid point to go on with.
  std::size_t examine(std::size_t i) {
    if (const std::size_t end = flat_run(i); end > i) return end;
    if (values_[i] == 0) {
      const double left = i > 0 && isfinite(i - 1) ? std::abs(values_[i - 1]) : 0;
      const double right = i + 1 < grid_.size() && isfinite(i + 1) ? std::abs(values_[i + 1]) : 0;
      add_zero(grid_[i], std::max(left, right));
      return i + 1;
    }
    if (i + 1 < grid_.size() && isfinite(i + 1) && values_[i] * values_[i + 1] < 0) {
      bracket(grid_[i], grid_[i + 1], values_[i], values_[i + 1]);
    }
    if (i > 0 && i + 1 < grid_.size()) touch(i);
    return i + 1;
  }

  /// A run of three or more grid points from i on where g_y vanishes, exactly or but for rounding that changes its sign
  /// again and again: a whole interval of critical points. Where g_y passes through zero once, only slowly, there is
  /// none. Returns its end, or i.
  std::size_t flat_run(std::size_t i) {
    constexpr std::size_t kShortest = 3;
    std::size_t end = i;
    while (end < grid_.size() && values_[end] == 0) ++end;
    if (end - i < kShortest) {
      std::size_t changes = 0;
      for (end = i; end < grid_.size() && std::abs(values_[end]) <= zero_; ++end) {
        if (end > i && values_[end] * values_[end - 1] < 0) ++changes;
      }
      if (end - i < kShortest || changes < kShortest) return i;
    }
    add(0.5 * (grid_[i] + grid_[end - 1]), false);
    intervals_.push_back(fmt::format("[{:.6g}, {:.6g}]", grid_[i], grid_[end - 1]));
    return end;
  }

  /// Follows a sign change to rounding. A jump or a pole has one as well, but there the values do not shrink.
  void bracket(double a, double b, double fa, double fb) {
    const auto root = bracketed_root([this](double y) { return gradient(y); }, a, b, fa, fb);
    const double height = std::max(std::abs(fa), std::abs(fb));
    if (root.value == 0) {
      add_zero(root.at, height);
    } else if (std::abs(root.value) <= std::max(kShrinks * height, zero_)) {
      add(root.at, true);
    } else {
      ++jumps_;
    }
  }

  /// A zero beside which g_y is as large as a cell away, is where a convention put 0 into a jump: sign(0) = 0.
  void add_zero(double y, double height) {
    constexpr double kBeside = 1e-9;
    const double beside = std::max(kBeside * cell(), 4 * std::numeric_limits<double>::epsilon() * std::abs(y));
    const double largest = std::max(std::abs(gradient(y - beside)), std::abs(gradient(y + beside)));
    if (largest > std::max(kShrinks * height, zero_)) {
      ++jumps_;
    } else {
      add(y, true);
    }
  }

  /// Where |g_y| has a local minimum without a sign change: at the extremum of g_y, the root of H, it may touch zero,
  /// or reach the other side in two roots.
  void touch(std::size_t i) {
    const double left = values_[i - 1], here = values_[i], right = values_[i + 1];
    if (!isfinite(i - 1) || !isfinite(i + 1) || left * here <= 0 || right * here <= 0) return;
    if (std::abs(here) > std::abs(left) || std::abs(here) > std::abs(right)) return;
    const double a = grid_[i - 1], b = grid_[i + 1];
    const double slope_a = curvature(a), slope_b = curvature(b);
    if (!(slope_a * slope_b < 0)) return;
    ++touches_;
    const auto extremum = bracketed_root([this](double y) { return curvature(y); }, a, b, slope_a, slope_b);
    const double value = gradient(extremum.at);
    // A parabola that misses zero by less than this fraction of its height at the next grid points, touches.
    constexpr double kTouches = 1e-6;
    if (std::abs(value) <= std::max(zero_, kTouches * std::min(std::abs(left), std::abs(right)))) {
      add(extremum.at, true);
    } else if (value * here < 0) {
      bracket(a, extremum.at, left, value);
      bracket(extremum.at, b, value, right);
    }
  }

  /// A root at an end of the box that rounding has put outside.
  void ends() {
    for (const double end : {low_, high_}) {
      const double step = -gradient(end) / curvature(end);
      if (std::isfinite(step) && std::abs(step) <= kBoxMargin * (high_ - low_)) add(end + step, true);
    }
  }

  void add(double y, bool isolated) {
    const auto same = [&](const Root& root) {
      return std::abs(root.y - y) <= options_.merge_distance * (high_ - low_);
    };
    if (std::none_of(roots_.begin(), roots_.end(), same)) roots_.push_back({y, isolated});
  }

  CriticalPoints report(const Objective* upper) {
    CriticalPoints found;
    for (const Root& root : roots_) {
      auto point = classify(lower_, x_, Vec::Constant(1, root.y), options_.degenerate_tolerance, upper);
      point.isolated = root.isolated;
      found.points.push_back(std::move(point));
    }
    found.exhaustive = found.settled = finite_ > 0;
    found.starts = options_.resolution;
    found.gradients = gradients_;
    if (finite_ == 0) {
      found.completeness =
          fmt::format("g_y is not a number at any of {} points of [{:.6g}, {:.6g}], so nothing is known.", grid_.size(),
                      low_, high_);
      return found;
    }
    found.completeness = fmt::format(
        "Every sign change of g_y between {} points of [{:.6g}, {:.6g}] was followed to rounding and {} local minima "
        "of "
        "|g_y| were examined: complete but for pairs of roots nearer to each other than {:.2g}",
        grid_.size(), low_, high_, touches_, cell());
    if (finite_ < grid_.size()) {
      found.completeness += fmt::format("; at {} of the points g_y is not a number, and nothing was searched there",
                                        grid_.size() - finite_);
    }
    if (jumps_ > 0) {
      found.completeness +=
          fmt::format("; g_y changes sign by a jump at {} places, which are no critical points", jumps_);
    }
    if (!intervals_.empty()) {
      found.completeness += fmt::format("; g_y vanishes on {}, listed by the middle: these points are not isolated",
                                        fmt::join(intervals_, ", "));
    }
    found.completeness += ".";
    return found;
  }

  const Objective& lower_;
  const Vec& x_;
  double low_, high_;
  const CriticalPointOptions& options_;
  std::vector<double> grid_, values_;
  double zero_ = 0;  // |g_y| up to this counts as zero
  std::size_t finite_ = 0;
  Index gradients_ = 0, touches_ = 0, jumps_ = 0;
  std::vector<Root> roots_;
  std::vector<std::string> intervals_;
};

}  // namespace

CriticalPoints search_line(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options,
                           const Objective* upper) {
  return LineSearch(lower, x, box, options).run(upper);
}

}  // namespace bilevel
