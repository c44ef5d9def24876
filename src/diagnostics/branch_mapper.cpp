#include "diagnostics/branch_mapper.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "diagnostics/branch_assembly.hpp"

namespace bilevel {

namespace {

class BranchMapper {
 public:
  BranchMapper(const Objective& lower, const LeaderLine& line, const Box& box, const BranchOptions& options,
               const Objective* upper)
      : task_{lower, line, box, options, line.to - line.from, box.diameter()}, upper_(upper) {
    map_.line = line;
  }

  BranchMap run() {
    search();
    // Points with a regular H first: what they lead to explains most of the degenerate ones.
    for (const bool degenerate : {false, true}) {
      for (std::size_t k = 0; k < map_.samples.size(); ++k) {
        for (const CriticalPoint& point : map_.samples[k].points) {
          if ((point.kind == CriticalKind::degenerate) == degenerate && point.isolated) {
            follow(map_.sample_ts[k], point.y);
          }
        }
      }
    }
    follow_partners();
    std::vector<std::pair<std::size_t, CriticalPoint>> unexplained = left_over();
    assemble(task_, std::move(raw_), upper_, map_);
    conclude(unexplained);
    return std::move(map_);
  }

 private:
  /// Critical points of a search and interpolated branches agree to this, relative to the box.
  static constexpr double kSame = 1e-5;

  void search() {
    const Index samples = task_.options.samples;
    for (Index k = 0; k < samples; ++k) {
      const double t = static_cast<double>(k) / static_cast<double>(samples - 1);
      map_.sample_ts.push_back(t);
      map_.samples.push_back(
          find_critical_points(task_.lower, task_.line.at(t), task_.box, task_.options.search, upper_));
    }
  }

  bool covered(double t, const Vec& y) const {
    return std::any_of(raw_.begin(), raw_.end(), [&](const RawBranch& branch) {
      const auto there = branch.at(t);
      return there && norm(*there - y) <= kSame * task_.size;
    });
  }

  bool near_event(double t, const Vec& y) const {
    const PieceEnd place{BranchEventKind::degenerate, t, y, 0, 0, false};
    return std::any_of(raw_.begin(), raw_.end(), [&](const RawBranch& branch) {
      return same_place(branch.begin, place, task_.size) || same_place(branch.end, place, task_.size);
    });
  }

  void follow(double t, const Vec& y) {
    if (covered(t, y) || near_event(t, y)) return;
    const PathPoint start = path_point(task_, t, y);
    // Without a slope there is no direction to go: such a point is an event, not a start.
    constexpr double kSingular = 1e-12;
    if (!start.finite() || std::abs(start.smallest()) <= kSingular * std::max(1.0, start.largest())) return;
    const Landmarks landmarks{map_.sample_ts, map_.samples};
    for (RawBranch& branch : joined(trace(task_, landmarks, start, -1), trace(task_, landmarks, start, 1))) {
      const PathPoint& middle = branch.points[branch.points.size() / 2];
      if (covered(middle.t, middle.y)) continue;
      for (RawBranch& piece : cut_at_touches(task_, std::move(branch))) raw_.push_back(std::move(piece));
    }
  }

  /// At a fold two branches vanish; where only one was found, the other lies on the far side of the fold's point.
  void follow_partners() {
    for (std::size_t i = 0; i < raw_.size(); ++i) {
      for (const bool at_begin : {true, false}) {
        const PieceEnd end = at_begin ? raw_[i].begin : raw_[i].end;
        if (end.kind != BranchEventKind::fold || partner_known(i, at_begin, end)) continue;
        // Outside the box nothing is searched for either.
        if (!task_.box.contains(end.y)) continue;
        // A partner that lives for a short while only exists near the fold.
        for (const double distance : {3e-3, 3e-4, 5e-5}) {
          const PathPoint near = at_distance(raw_[i], at_begin, end, distance * task_.size);
          const Correction correction = correct(task_, near.t, 2 * end.y - near.y);
          if (!correction.converged || norm(correction.y - end.y) > 2 * norm(near.y - end.y)) continue;
          follow(near.t, correction.y);
          if (partner_known(i, at_begin, end)) break;
        }
      }
    }
  }

  /// The point of a branch nearest to its end among those that are at least so far from it.
  static PathPoint at_distance(const RawBranch& branch, bool at_begin, const PieceEnd& end, double distance) {
    const auto far = [&](const PathPoint& point) { return norm(point.y - end.y) > distance; };
    if (at_begin) {
      const auto at = std::find_if(branch.points.begin(), branch.points.end(), far);
      return at == branch.points.end() ? branch.points.back() : *at;
    }
    const auto at = std::find_if(branch.points.rbegin(), branch.points.rend(), far);
    return at == branch.points.rend() ? branch.points.front() : *at;
  }

  bool partner_known(std::size_t which, bool at_begin, const PieceEnd& end) const {
    for (std::size_t j = 0; j < raw_.size(); ++j) {
      if (j == which) continue;
      if (same_place(at_begin ? raw_[j].begin : raw_[j].end, end, task_.size)) return true;
    }
    return false;
  }

  std::vector<std::pair<std::size_t, CriticalPoint>> left_over() const {
    std::vector<std::pair<std::size_t, CriticalPoint>> result;
    for (std::size_t k = 0; k < map_.samples.size(); ++k) {
      for (const CriticalPoint& point : map_.samples[k].points) {
        if (!covered(map_.sample_ts[k], point.y) && !near_event(map_.sample_ts[k], point.y))
          result.emplace_back(k, point);
      }
    }
    return result;
  }

  void conclude(const std::vector<std::pair<std::size_t, CriticalPoint>>& unexplained) {
    Index unsettled = 0, points = 0;
    for (const CriticalPoints& sample : map_.samples) {
      if (!sample.settled) ++unsettled;
      points += static_cast<Index>(sample.points.size());
    }
    report_degenerate(unexplained);
    std::stable_sort(map_.events.begin(), map_.events.end(),
                     [](const BranchEvent& a, const BranchEvent& b) { return a.t < b.t; });
    const auto stalled = std::count_if(map_.events.begin(), map_.events.end(),
                                       [](const BranchEvent& event) { return event.kind == BranchEventKind::stalled; });
    map_.complete = unexplained.empty() && unsettled == 0;
    map_.completeness = fmt::format(
        "{} branches through {} critical points of {} searches along the line; {} points lie on no branch, {} searches "
        "had not settled, {} branches stalled{}.",
        map_.branches.size(), points, map_.samples.size(), unexplained.size(), unsettled, stalled,
        map_.complete ? "; a branch that lives between two neighbouring searches only would be missed" : "");
  }

  /// Critical points with singular H that no branch leads to: where they stand at most leaders, as a curve of them
  /// does, one event tells it for all.
  void report_degenerate(const std::vector<std::pair<std::size_t, CriticalPoint>>& unexplained) {
    for (const bool isolated : {true, false}) {
      std::vector<std::size_t> where;
      const CriticalPoint* first = nullptr;
      for (const auto& [k, point] : unexplained) {
        if (point.kind != CriticalKind::degenerate || point.isolated != isolated) continue;
        if (!first) first = &point;
        if (where.empty() || where.back() != k) where.push_back(k);
      }
      if (!first) continue;
      BranchEvent event{.kind = BranchEventKind::degenerate,
                        .t = map_.sample_ts[where.front()],
                        .x = task_.line.at(map_.sample_ts[where.front()]),
                        .y = first->y,
                        .eigenvalue = first->smallest + 0.0,  // no negative zero in the text
                        .accuracy = 0,
                        .branches = {},
                        .text = {}};
      event.text =
          fmt::format("{} Such points, {}, were found at {} of {} searches.", describe(event),
                      isolated ? "isolated as far as the search can tell" : "with further critical points beside them",
                      where.size(), map_.samples.size());
      map_.events.push_back(std::move(event));
    }
  }

  BranchTask task_;
  const Objective* upper_;
  BranchMap map_;
  std::vector<RawBranch> raw_;
};

}  // namespace

BranchMap map_branches(const Objective& lower, const LeaderLine& line, const Box& box, const BranchOptions& options,
                       const Objective* upper) {
  return BranchMapper(lower, line, box, options, upper).run();
}

}  // namespace bilevel
