#include "core/check_batch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/check_answers.hpp"
#include "core/taylor_slope.hpp"

namespace bilevel {

namespace {

struct Pair {
  Oracle function, derivative;
  bool along_x;
};
constexpr std::array kPairs{
    Pair{Oracle::value, Oracle::grad_x, true},    Pair{Oracle::value, Oracle::grad_y, false},
    Pair{Oracle::grad_y, Oracle::hess_yy, false}, Pair{Oracle::grad_x, Oracle::hess_xy, false},
    Pair{Oracle::grad_y, Oracle::hess_yx, true},
};

Vec answer(const Objective& objective, Oracle oracle, const Vec& x, const Vec& y, Batch batch) {
  return answers_of(objective.evaluate(oracle, x, y, batch)).at(oracle);
}

Vec derivative_along(const Objective& objective, const Pair& pair, const Vec& x, const Vec& y, Batch batch,
                     const Vec& direction) {
  switch (pair.derivative) {
    case Oracle::hess_yy: return objective.hess_yy(x, y, direction, batch);
    case Oracle::hess_xy: return objective.hess_xy(x, y, direction, batch);
    case Oracle::hess_yx: return objective.hess_yx(x, y, direction, batch);
    default: return Vec::Constant(1, dot(answer(objective, pair.derivative, x, y, batch), direction));
  }
}

}  // namespace

BatchSlopes batch_slopes(const Objective& objective, const Vec& x, const Vec& y, Batch batch, const Vec& u,
                         const Vec& v, double noise, double smallest_slope, OracleSet wrong) {
  BatchSlopes slopes{std::numeric_limits<double>::infinity(), {}};
  for (const auto& pair : kPairs) {
    const OracleSet both = pair.function | pair.derivative;
    if (!both.without(objective.provides()).empty() || both.without(wrong) != both) continue;
    const Vec& direction = pair.along_x ? u : v;
    const Vec& point = pair.along_x ? x : y;
    if (direction.size() == 0) continue;
    const Vec here = answer(objective, pair.function, x, y, batch);
    const Vec derivative = derivative_along(objective, pair, x, y, batch, direction);
    const double typical_entry = norm(point) / std::sqrt(static_cast<double>(point.size()));
    const auto remainder = [&](double t) {
      const Vec moved = pair.along_x ? answer(objective, pair.function, x + t * direction, y, batch)
                                     : answer(objective, pair.function, x, y + t * direction, batch);
      return norm(moved - here - t * derivative);
    };
    const auto measured = taylor_slope(remainder, norm(here) + norm(derivative) * (1 + typical_entry), noise);
    slopes.worst = std::min(slopes.worst, measured.slope);
    if (!(measured.slope >= smallest_slope)) slopes.misfits.push_back({pair.function, pair.derivative});
  }
  return slopes;
}

}  // namespace bilevel
