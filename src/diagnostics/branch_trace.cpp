#include "diagnostics/branch_trace.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "diagnostics/branch_escape.hpp"
#include "diagnostics/branch_singular.hpp"

namespace bilevel {

namespace {

/// How far outside the box, relative to its width, branches are followed.
constexpr double kWidened = 0.5;

class Tracer {
 public:
  Tracer(const BranchTask& task, const Landmarks& landmarks, double sign)
      : task_(task), landmarks_(landmarks), sign_(sign) {}

  std::vector<TracedPiece> run(const PathPoint& start) {
    constexpr std::size_t kMostPoints = 20'000;
    pieces_.push_back({{start}, {}});
    double step = task_.options.first_step;
    for (std::size_t count = 0;; ++count) {
      const PathPoint here = pieces_.back().points.back();
      const double remaining = sign_ > 0 ? 1 - here.t : here.t;
      if (remaining <= 0) return end_here(BranchEventKind::line_end);
      if (count == kMostPoints) return end_here(BranchEventKind::stalled);

      const double length = std::min({step, remaining, landmarks_.ahead(here.t, sign_)});
      auto next = advance(task_, landmarks_, here, landmarks_.target(here.t, sign_, length));
      // A step that ends at a zero of an eigenvalue cannot tell a crossing from an end: a longer one can.
      constexpr double kLonger = 1.37;
      if (!next) {
        const double longer = std::min(kLonger * length, remaining);
        next = advance(task_, landmarks_, here, landmarks_.target(here.t, sign_, longer));
      }
      if (!next) {
        step = 0.5 * length;
        if (ends_singular(here, step)) return std::move(pieces_);
        if (step < task_.options.smallest_step) return give_up(here);
        continue;
      }
      if (!task_.box.contains(next->point.y, kWidened)) return outside(here, next->point);
      append(here, std::move(next->point));
      if (next->share < kEasy) step = std::min(task_.options.largest_step, std::max(step, kGrowth * length));
    }
  }

 private:
  static constexpr double kEasy = 0.1, kGrowth = 1.6;

  void append(const PathPoint& here, PathPoint next) {
    auto& points = pieces_.back().points;
    largest_drive_ = std::max(largest_drive_, norm(next.drive));
    if (next.index != here.index) {
      end_at(crossing(task_, here, next), true);
      pieces_.push_back({{std::move(next)}, {}});
      return;
    }
    points.push_back(std::move(next));
  }

  void end_at(const SingularPoint& singular, bool through) {
    pieces_.back().end = {singular.kind, singular.t, singular.y, singular.eigenvalue, singular.accuracy, through};
  }

  std::vector<TracedPiece> end_here(BranchEventKind kind) {
    const PathPoint& last = pieces_.back().points.back();
    pieces_.back().end = {kind, last.t, last.y, last.smallest(), 0, false};
    return std::move(pieces_);
  }

  /// Whether a singular point lies just ahead; then the way there is filled with points, which proves that the branch
  /// leads to it.
  bool ends_singular(const PathPoint& here, double step) {
    constexpr double kNear = 1e-3, kAhead = 20, kReach = 4, kSlack = 1e-6, kBehind = 1e-12;
    if (step > kNear) return false;
    const double drive = std::max(largest_drive_, norm(here.drive));
    const auto singular = singular_end(task_, here, drive);
    if (!singular) return false;
    const double ahead = sign_ * (singular->t - here.t);
    if (ahead < -kBehind || ahead > kAhead * step) return false;
    const double distance = norm(singular->y - here.y);
    if (distance > kReach * ahead * norm(here.slope) + kSlack * task_.size) return false;

    constexpr double kQuarter = 0.25, kNearest = 1e-9, kFlattest = 0.2, kAgrees = 0.5;
    constexpr int kMostPoints = 12;
    // y - y* falls like a power of t* - t: 1/2 at a fold, 1/3 at a cusp.
    const double power =
        std::clamp(ahead * norm(here.slope) / std::max(distance, kBehind * task_.size), kFlattest, 1.0);
    std::vector<PathPoint> fill;
    for (int k = 1; k <= kMostPoints && ahead * std::pow(kQuarter, k) > kNearest; ++k) {
      const double t = singular->t - sign_ * ahead * std::pow(kQuarter, k);
      const Vec offset = std::pow(kQuarter, power * k) * (here.y - singular->y);
      const Correction correction = correct(task_, t, singular->y + offset);
      if (!correction.converged || norm(correction.y - singular->y - offset) > kAgrees * norm(offset)) break;
      PathPoint point = path_point(task_, t, correction.y);
      if (!point.finite() || point.index != here.index) break;
      fill.push_back(std::move(point));
    }
    if (fill.empty() && ahead * kQuarter > kNearest) return false;
    auto& points = pieces_.back().points;
    points.insert(points.end(), fill.begin(), fill.end());
    end_at(*singular, false);
    return true;
  }

  std::vector<TracedPiece> give_up(const PathPoint& here) {
    constexpr double kNearlySingular = 1e-3;
    double largest = 0;
    for (const PathPoint& point : pieces_.back().points) largest = std::max(largest, std::abs(point.smallest()));
    const bool singular = std::abs(here.smallest()) <= kNearlySingular * largest;
    pieces_ = end_here(singular ? BranchEventKind::degenerate : BranchEventKind::stalled);
    pieces_.back().end.accuracy = task_.options.smallest_step;
    return std::move(pieces_);
  }

  /// `next` is the first point outside the widened box. The branch is followed farther, to see where it goes.
  std::vector<TracedPiece> outside(const PathPoint& here, const PathPoint& next) {
    constexpr int kMostSteps = 2000;
    constexpr double kFarEnough = 1e3;
    std::vector<PathPoint> far = pieces_.back().points;
    far.push_back(next);
    double step = std::abs(next.t - here.t);
    for (int count = 0; count < kMostSteps; ++count) {
      const PathPoint& last = far.back();
      const double remaining = sign_ > 0 ? 1 - last.t : last.t;
      if (norm(last.y - task_.box.centre()) > kFarEnough * task_.size || remaining <= 0) break;
      const double length = std::min(step, remaining);
      auto point = advance(task_, landmarks_, last, last.t + sign_ * length);
      if (!point) {
        step = 0.5 * length;
        if (step < task_.options.smallest_step) break;
        continue;
      }
      if (point->share < kEasy) step = std::min(task_.options.largest_step, kGrowth * step);
      far.push_back(std::move(point->point));
    }
    if (const auto escape = escape_of(task_, far, sign_)) {
      pieces_.back().end = {BranchEventKind::escape, escape->t, here.y, here.smallest(), escape->accuracy, false};
      return std::move(pieces_);
    }
    return leave(here, next);
  }

  /// The point on the border of the widened box, by bisection between points inside and outside.
  std::vector<TracedPiece> leave(PathPoint inside, PathPoint beyond) {
    while (std::abs(beyond.t - inside.t) > task_.options.event_accuracy) {
      const double t = 0.5 * (inside.t + beyond.t);
      const Correction correction = correct(task_, t, interpolated(inside, beyond, t));
      if (!correction.converged) break;
      PathPoint middle = path_point(task_, t, correction.y);
      if (!middle.finite()) break;
      (task_.box.contains(middle.y, kWidened) ? inside : beyond) = std::move(middle);
    }
    auto& points = pieces_.back().points;
    if (inside.t != points.back().t) points.push_back(inside);
    pieces_.back().end = {BranchEventKind::leaves_box,   inside.t, inside.y, inside.smallest(),
                          std::abs(beyond.t - inside.t), false};
    return std::move(pieces_);
  }

  const BranchTask& task_;
  const Landmarks& landmarks_;
  double sign_;
  double largest_drive_ = 0;
  std::vector<TracedPiece> pieces_;
};

}  // namespace

std::vector<TracedPiece> trace(const BranchTask& task, const Landmarks& landmarks, const PathPoint& start,
                               double sign) {
  return Tracer(task, landmarks, sign).run(start);
}

}  // namespace bilevel
