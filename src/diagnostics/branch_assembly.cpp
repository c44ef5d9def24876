#include "diagnostics/branch_assembly.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

namespace {

/// One end of one branch, with where to write the event.
struct End {
  const PieceEnd* place;
  std::size_t branch;
  bool at_begin;
};

/// Ends that say nothing about H.
bool leads_nowhere(BranchEventKind kind) {
  return kind == BranchEventKind::line_end || kind == BranchEventKind::escape || kind == BranchEventKind::leaves_box ||
         kind == BranchEventKind::stalled;
}

/// What kind of event the ends at one place make together.
BranchEventKind merged_kind(const std::vector<End>& ends, const std::vector<Branch>& branches) {
  const auto all = [&](BranchEventKind kind) {
    return std::all_of(ends.begin(), ends.end(), [&](const End& end) { return end.place->kind == kind; });
  };
  const BranchEventKind first = ends.front().place->kind;
  if (leads_nowhere(first)) return first;
  if (const auto& place = *ends.front().place; place.through) return place.kind;
  if (all(BranchEventKind::fold)) {
    if (ends.size() == 1) return BranchEventKind::fold;
    const Index difference = branches[ends[0].branch].index - branches[ends[1].branch].index;
    const bool same_side = ends[0].at_begin == ends[1].at_begin;
    if (ends.size() == 2 && same_side && std::abs(difference) == 1) return BranchEventKind::fold;
    return BranchEventKind::degenerate;
  }
  // At an end of the line only one side of a pitchfork is seen; of a single branch it could as well be another kind.
  const double t = ends.front().place->t;
  constexpr double kLineEnd = 1e-6;
  const bool one_sided = t < kLineEnd || t > 1 - kLineEnd;
  if (all(BranchEventKind::pitchfork) && ends.size() > (one_sided ? 1 : 2)) return BranchEventKind::pitchfork;
  return BranchEventKind::degenerate;
}

std::string numbers(const Vec& vec) {
  constexpr std::size_t kMost = 4;
  const std::span<const double> values(vec.data(), static_cast<std::size_t>(vec.size()));
  const auto shown = values.first(std::min(values.size(), kMost));
  const std::string list = fmt::format("{:.9g}", fmt::join(shown, ", "));
  if (values.size() == 1) return list;
  return fmt::format("({}{})", list, values.size() > kMost ? ", ..." : "");
}

BranchPoint public_point(const BranchTask& task, const PathPoint& point, const Objective* upper) {
  const Vec x = task.line.at(point.t);
  return {.t = point.t,
          .x = x,
          .y = point.y,
          .slope = point.slope,
          .smallest = point.smallest(),
          .largest = point.largest(),
          .lower = point.value,
          .upper = upper ? upper->value(x, point.y) : std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace

bool same_place(const PieceEnd& a, const PieceEnd& b, double size) {
  // Side branches of a pitchfork find it to the square root of rounding in t, and to the cube root in y.
  constexpr double kSameT = 1e-6, kSameY = 1e-3, kAccuracies = 10;
  if (a.kind == BranchEventKind::line_end || b.kind == BranchEventKind::line_end) return false;
  if (leads_nowhere(a.kind) != leads_nowhere(b.kind) || (leads_nowhere(a.kind) && a.kind != b.kind)) return false;
  if (std::abs(a.t - b.t) > std::max(kSameT, kAccuracies * (a.accuracy + b.accuracy))) return false;
  return norm(a.y - b.y) <= kSameY * size;
}

std::string describe(const BranchEvent& event) {
  const std::string place = fmt::format("at x = {} (t = {:.9g} +- {:.1g}), y = {}", numbers(event.x), event.t,
                                        event.accuracy, numbers(event.y));
  const bool alone = event.branches.size() == 1;
  const std::string who = fmt::format("{} {}", alone ? "branch" : "branches", fmt::join(event.branches, ", "));
  const std::string x = numbers(event.x);
  switch (event.kind) {
    case BranchEventKind::line_end: return fmt::format("The line ends {}; {} goes on.", place, who);
    case BranchEventKind::fold:
      return fmt::format(
          "Fold {}: {}; the eigenvalue there is {:.2g}.", place,
          alone ? who + " ends, and the branch that it vanishes with was not found" : who + " meet and vanish",
          event.eigenvalue);
    case BranchEventKind::pitchfork:
      return fmt::format("Pitchfork or crossing {}: {} where an eigenvalue changes its sign; it is {:.2g} there.",
                         place, alone ? who + " ends" : who + " meet", event.eigenvalue);
    case BranchEventKind::degenerate:
      if (event.branches.empty()) {
        return fmt::format("Degenerate critical point {}, eigenvalue {:.2g}: no branch leads to it.", place,
                           event.eigenvalue);
      }
      return fmt::format(
          "Degenerate point {}: {} where H is singular (eigenvalue {:.2g}), in a way that was not "
          "resolved.",
          place, alone ? who + " ends" : who + " meet", event.eigenvalue);
    case BranchEventKind::escape:
      return fmt::format(
          "Escape: {} goes to infinity as x approaches {} (t = {:.9g} +- {:.1g}), so the critical sets are "
          "not locally bounded there.",
          who, x, event.t, event.accuracy);
    case BranchEventKind::leaves_box:
      return fmt::format("Out of the box: {} leaves the box of y, widened by half its width, {}.", who, place);
    case BranchEventKind::stalled:
      return fmt::format(
          "Stalled: {} could not be followed beyond x = {} (t = {:.9g}), y = {}, though the eigenvalue "
          "nearest to 0 is {:.2g}.",
          who, x, event.t, numbers(event.y), event.eigenvalue);
  }
  return {};
}

void assemble(const BranchTask& task, std::vector<RawBranch> raw, const Objective* upper, BranchMap& map) {
  std::sort(raw.begin(), raw.end(), [](const RawBranch& a, const RawBranch& b) {
    if (a.index() != b.index()) return a.index() < b.index();
    if (a.points.front().t != b.points.front().t) return a.points.front().t < b.points.front().t;
    return std::lexicographical_compare(a.points.front().y.begin(), a.points.front().y.end(),
                                        b.points.front().y.begin(), b.points.front().y.end());
  });
  std::vector<End> ends;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    Branch branch;
    branch.id = static_cast<Index>(i);
    branch.index = raw[i].index();
    map.branches.push_back(std::move(branch));
    ends.push_back({&raw[i].begin, i, true});
    ends.push_back({&raw[i].end, i, false});
  }
  // The best known place of an event comes first: a crossing, then the rest by accuracy.
  std::stable_sort(ends.begin(), ends.end(), [](const End& a, const End& b) {
    return std::pair(!a.place->through, a.place->accuracy) < std::pair(!b.place->through, b.place->accuracy);
  });

  const auto write = [&](const std::vector<End>& meeting, BranchEventKind kind) {
    const PieceEnd& best = *meeting.front().place;
    BranchEvent event{.kind = kind,
                      .t = best.t,
                      .x = task.line.at(best.t),
                      .y = best.y,
                      .eigenvalue = best.eigenvalue + 0.0,  // no negative zero in the text
                      .accuracy = best.accuracy,
                      .branches = {},
                      .text = {}};
    for (const End& end : meeting) event.branches.push_back(static_cast<Index>(end.branch));
    std::sort(event.branches.begin(), event.branches.end());
    event.branches.erase(std::unique(event.branches.begin(), event.branches.end()), event.branches.end());
    event.text = describe(event);
    for (const End& end : meeting) {
      Branch& branch = map.branches[end.branch];
      (end.at_begin ? branch.begin : branch.end) = event;
    }
    if (kind != BranchEventKind::line_end) map.events.push_back(std::move(event));
  };
  std::vector<bool> used(ends.size(), false);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (used[i]) continue;
    std::vector<End> meeting{ends[i]};
    for (std::size_t j = i + 1; j < ends.size(); ++j) {
      if (used[j] || !same_place(*ends[i].place, *ends[j].place, task.size)) continue;
      meeting.push_back(ends[j]);
      used[j] = true;
    }
    write(meeting, merged_kind(meeting, map.branches));
  }

  for (std::size_t i = 0; i < raw.size(); ++i) {
    Branch& branch = map.branches[i];
    for (const PathPoint& point : raw[i].points) {
      // The event's place may be that of a better known end, a rounding inside of the last point.
      if (point.t >= branch.begin.t && point.t <= branch.end.t) {
        branch.points.push_back(public_point(task, point, upper));
      }
    }
    if (branch.points.empty()) branch.points.push_back(public_point(task, raw[i].points.front(), upper));
  }
}

}  // namespace bilevel
