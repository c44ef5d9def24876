#include "diagnostics/branch_pieces.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "diagnostics/branch_singular.hpp"

namespace bilevel {

std::optional<Vec> RawBranch::at(double t) const {
  if (t < points.front().t || t > points.back().t) return std::nullopt;
  const auto after = std::lower_bound(points.begin(), points.end(), t,
                                      [](const PathPoint& point, double value) { return point.t < value; });
  return after->t == t ? after->y : interpolated(*std::prev(after), *after, t);
}

std::vector<RawBranch> joined(std::vector<TracedPiece> backward, std::vector<TracedPiece> forward) {
  for (TracedPiece& piece : backward) std::reverse(piece.points.begin(), piece.points.end());
  RawBranch middle{std::move(backward.front().points), backward.front().end, forward.front().end};
  const auto& onward = forward.front().points;
  middle.points.insert(middle.points.end(), std::next(onward.begin()), onward.end());
  std::vector<RawBranch> result{std::move(middle)};
  for (std::size_t i = 1; i < backward.size(); ++i) {
    result.push_back({std::move(backward[i].points), backward[i].end, backward[i - 1].end});
  }
  for (std::size_t i = 1; i < forward.size(); ++i) {
    result.push_back({std::move(forward[i].points), forward[i - 1].end, forward[i].end});
  }
  return result;
}

std::vector<RawBranch> cut_at_touches(const BranchTask& task, RawBranch piece) {
  constexpr double kDips = 0.5;  // a parabola with its zero between a and c has its least value at b below this
  std::vector<RawBranch> result;
  for (std::size_t i = 1; i + 1 < piece.points.size(); ++i) {
    const PathPoint &a = piece.points[i - 1], &b = piece.points[i], &c = piece.points[i + 1];
    const auto [low, high] = std::minmax({std::abs(a.smallest()), std::abs(c.smallest())});
    if (std::abs(b.smallest()) > std::min(low, kDips * high)) continue;
    const auto touch = touching(task, a, b, c);
    if (!touch) continue;
    const PieceEnd end{touch->kind, touch->t, touch->y, touch->eigenvalue, touch->accuracy, true};
    const auto after = std::find_if(piece.points.begin(), piece.points.end(),
                                    [&](const PathPoint& point) { return point.t > touch->t; });
    RawBranch rest{{after, piece.points.end()}, end, piece.end};
    piece.points.erase(after, piece.points.end());
    piece.end = end;
    result.push_back(std::exchange(piece, std::move(rest)));
    i = 0;
  }
  result.push_back(std::move(piece));
  return result;
}

}  // namespace bilevel
