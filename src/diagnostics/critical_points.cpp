#include "bilevel/critical_points.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <fmt/format.h>
#include <Eigen/Eigenvalues>

#include "bilevel/status.hpp"
#include "diagnostics/critical_points_search.hpp"
#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

namespace {

void check_options(const CriticalPointOptions& options) {
  const auto require = [](bool allowed, const char* name, double value, const char* range) {
    if (!allowed) {
      throw InvalidOption(
          fmt::format("the search for critical points has {} = {}, but it must be {}", name, value, range));
    }
  };
  constexpr Index kMostStarts = 10'000'000, kFewestCells = 4, kMostCells = 100'000'000;
  require(options.starts >= 0 && options.starts <= kMostStarts, "starts", static_cast<double>(options.starts),
          "between 0 (chosen by the dimension) and 10000000");
  require(options.resolution >= kFewestCells && options.resolution <= kMostCells, "resolution",
          static_cast<double>(options.resolution), "between 4 and 100000000");
  const auto fraction = [&](double value, const char* name) {
    require(value > 0 && value < 1, name, value, "between 0 and 1, ends excluded");
  };
  fraction(options.tolerance, "tolerance");
  fraction(options.degenerate_tolerance, "degenerate_tolerance");
  fraction(options.merge_distance, "merge_distance");
}

CriticalKind kind_of(Index index, Index kernel, Index m) {
  if (kernel > 0) return CriticalKind::degenerate;
  if (index == 0) return CriticalKind::minimiser;
  return index == m ? CriticalKind::maximiser : CriticalKind::saddle;
}

}  // namespace

std::string_view to_string(CriticalKind kind) {
  switch (kind) {
    case CriticalKind::minimiser: return "minimiser";
    case CriticalKind::saddle: return "saddle";
    case CriticalKind::maximiser: return "maximiser";
    case CriticalKind::degenerate: return "degenerate";
  }
  return "unknown";
}

Index CriticalPoints::count(CriticalKind kind) const {
  return std::count_if(points.begin(), points.end(), [&](const CriticalPoint& point) { return point.kind == kind; });
}

double typical_size(std::vector<double> sizes) {
  if (sizes.empty()) return 0;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle > 0 ? *middle : *std::max_element(sizes.begin(), sizes.end());
}

CriticalPoint classify(const Objective& lower, const Vec& x, const Vec& y, double degenerate_tolerance,
                       const Objective* upper) {
  const Index m = lower.dim_y();
  const auto at = lower.linearize(x, y, full, Oracle::value | Oracle::grad_y);
  CriticalPoint point;
  point.y = y;
  point.lower = *at.evaluation().value;
  point.residual = norm(*at.evaluation().grad_y);
  point.upper = upper ? upper->value(x, y) : std::numeric_limits<double>::quiet_NaN();

  const Eigen::MatrixXd hessian = dense_hessian(at, m);
  if (!hessian.allFinite()) {
    point.eigenvalues = Vec::Constant(m, std::numeric_limits<double>::quiet_NaN());
    point.smallest = std::numeric_limits<double>::quiet_NaN();
    point.kernel = m;
    return point;
  }
  point.eigenvalues = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(hessian, Eigen::EigenvaluesOnly).eigenvalues();
  const double zero = degenerate_tolerance * std::max(1.0, point.eigenvalues.cwiseAbs().maxCoeff());
  point.index = (point.eigenvalues.array() < -zero).count();
  point.kernel = (point.eigenvalues.array().abs() <= zero).count();
  Index nearest = 0;
  point.eigenvalues.cwiseAbs().minCoeff(&nearest);
  point.smallest = point.eigenvalues[nearest];
  point.kind = kind_of(point.index, point.kernel, m);
  return point;
}

CriticalPoints find_critical_points(const Objective& lower, const Vec& x, const Box& box,
                                    const CriticalPointOptions& options, const Objective* upper) {
  const Index m = lower.dim_y();
  check_options(options);
  if (x.size() != lower.dim_x()) {
    throw DimensionMismatch(
        fmt::format("the search for critical points of '{}' needs a leader of length {}, but got {}", lower.name(),
                    lower.dim_x(), x.size()));
  }
  if (upper && (upper->dim_x() != lower.dim_x() || upper->dim_y() != m)) {
    throw DimensionMismatch(fmt::format("objectives '{}' ({} leader, {} follower variables) and '{}' ({}, {}) differ",
                                        upper->name(), upper->dim_x(), upper->dim_y(), lower.name(), lower.dim_x(), m));
  }
  if (m < 1 || m > kLargestSearchDimension) {
    throw InvalidInput(
        fmt::format("the search for critical points forms the Hessian of the follower, which is offered for 1 to {} "
                    "follower variables, but '{}' has {}",
                    kLargestSearchDimension, lower.name(), m));
  }
  box.validate(m, "the box of y");
  for (Index i = 0; i < m; ++i) {
    if (!(box.low[i] < box.high[i])) {
      throw InvalidInput(
          fmt::format("the box of y has no width in entry {} ({} to {}), but critical points are searched for in "
                      "boxes with width in every entry",
                      i + 1, box.low[i], box.high[i]));
    }
  }

  CriticalPoints found =
      m == 1 ? search_line(lower, x, box, options, upper) : search_newton(lower, x, box, options, upper);
  std::stable_sort(found.points.begin(), found.points.end(), [](const CriticalPoint& a, const CriticalPoint& b) {
    const auto rank = [](const CriticalPoint& point) {
      // A comparison with NaN would leave the order undefined.
      const double value = std::isnan(point.lower) ? std::numeric_limits<double>::infinity() : point.lower;
      return std::tuple(point.kind == CriticalKind::degenerate, point.index, value);
    };
    return rank(a) < rank(b);
  });
  return found;
}

}  // namespace bilevel
