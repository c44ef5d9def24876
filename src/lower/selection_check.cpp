#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/check_selection.hpp"
#include "bilevel/random.hpp"

namespace bilevel {

namespace {

void check_range(std::string_view option, double value, double lowest, double highest, bool open) {
  const bool inside = open ? value > lowest && value < highest : value >= lowest && value <= highest;
  if (inside) return;
  throw InvalidOption(fmt::format("{} {} is not allowed: it must be {} {} and {} {}", option, value,
                                  open ? ">" : ">=", lowest, open ? "<" : "<=", highest));
}

void check_options(const SelectionCheckOptions& options) {
  constexpr double kLargest = 1e300;
  check_range("samples", options.samples, 1, 100000, false);
  check_range("spread-x", options.spread_x, 0, kLargest, false);
  check_range("spread-y", options.spread_y, 0, kLargest, true);
  check_range("criticality", options.criticality, 0, 1, true);
  check_range("consistency", options.consistency, 0, 1, true);
}

Vec around(const Vec& centre, double spread, Random& random) {
  Vec point = centre;
  for (auto& entry : point) entry += spread * random.normal();
  return point;
}

/// NaN counts as worse than every number, and the first of them is kept.
void note(SelectionCheck& check, double measured, const Vec& x, const Vec& y, const Vec& answer) {
  ++check.points;
  if (check.points > 1 && (std::isnan(check.worst) || measured <= check.worst)) return;
  check.worst = measured;
  check.x = x;
  check.y = y;
  check.answer = answer;
}

std::string entries(const Vec& v) {
  constexpr Index kShown = 4;
  std::string text = "(";
  for (Index i = 0; i < std::min(v.size(), kShown); ++i) text += fmt::format("{}{:.4g}", i > 0 ? ", " : "", v[i]);
  return text + (v.size() > kShown ? ", ..)" : ")");
}

void judge(SelectionCheck& check, std::string_view failure) {
  check.passed = check.points == 0 || check.worst <= check.limit;  // false for NaN
  if (check.passed) return;
  check.explanation = fmt::format("{}: phi at x = {}, y = {} answers {}", failure, entries(check.x), entries(check.y),
                                  entries(check.answer));
}

class Examiner {
 public:
  Examiner(const SelectionMap& selection, const Objective& lower, const SelectionCheckOptions& options)
      : selection_(selection), lower_(lower), options_(options) {
    report_.criticality.name = "criticality";
    report_.criticality.limit = options.criticality;
    report_.self_consistency.name = "self-consistency";
    report_.self_consistency.limit = options.consistency;
  }

  SelectionReport run(const Vec& x, const Vec& y) {
    Random random(options_.seed);
    std::vector<CriticalPair> starts;
    scale_ = norm(lower_.grad_y(x, y));
    for (int i = 0; i < options_.samples; ++i) {
      Vec near_x = around(x, options_.spread_x, random);
      Vec near_y = around(y, options_.spread_y, random);
      const double residual = norm(lower_.grad_y(near_x, near_y));
      if (std::isfinite(residual)) scale_ = std::max(scale_, residual);
      starts.push_back({std::move(near_x), std::move(near_y)});
    }
    if (!(scale_ > 0) || !std::isfinite(scale_)) scale_ = 1;
    for (const auto& pair : options_.known) check_known(pair);

    int answers_fed_back = 0, found = 0;
    for (const auto& start : starts) {
      const Vec answer = selection_.select(start.x, start.y).y;
      const double residual = norm(lower_.grad_y(start.x, answer)) / scale_;
      note(report_.criticality, residual, start.x, start.y, answer);
      answers_fed_back += expect_kept({start.x, answer}, residual);
      found += expect_kept_by_solver(start);
    }
    expect_kept({x, y}, norm(lower_.grad_y(x, y)) / scale_);
    for (const auto& pair : options_.known) ask(pair);

    if (answers_fed_back == 0) report_.not_checked.push_back("no answer was critical enough to be fed back");
    if (found == 0) report_.not_checked.push_back("L-BFGS found no critical point from the starts");
    judge(report_.criticality, "the answer is not critical");
    judge(report_.self_consistency, "a critical point is moved");
    return std::move(report_);
  }

 private:
  void check_known(const CriticalPair& pair) const {
    const double residual = norm(lower_.grad_y(pair.x, pair.y));
    if (residual <= options_.criticality * scale_) return;
    throw InvalidInput(
        fmt::format("check_selection was told that x = {}, y = {} is critical, but |g_y| = {:.3g} there, "
                    "and {:.3g} is allowed",
                    entries(pair.x), entries(pair.y), residual, options_.criticality * scale_));
  }

  void ask(const CriticalPair& pair) {
    const Vec kept = selection_.select(pair.x, pair.y).y;
    note(report_.self_consistency, norm(kept - pair.y) / (1 + norm(pair.y)), pair.x, pair.y, kept);
  }

  /// A point that is not critical says nothing about self-consistency.
  bool expect_kept(const CriticalPair& pair, double residual) {
    if (!(residual <= options_.criticality)) return false;
    ask(pair);
    return true;
  }

  bool expect_kept_by_solver(const CriticalPair& start) {
    if (!lower_.provides().has(Oracle::value)) return false;
    LowerSolver::Options tight;
    tight.tolerance = 1e-10;  // far below `criticality`, so that what is fed in is critical beyond doubt
    const auto solved = Lbfgs().solve(lower_, start.x, start.y, tight);
    return expect_kept({start.x, solved.y}, solved.residual / scale_);
  }

  const SelectionMap& selection_;
  const Objective& lower_;
  const SelectionCheckOptions& options_;
  double scale_ = 1;
  SelectionReport report_;
};

std::string line(const SelectionCheck& check) {
  if (check.points == 0) return fmt::format("-      {:16}  not measured\n", check.name);
  auto text = fmt::format("{:5}  {:16}  worst of {} points {:.1e}, allowed {:.1e}", check.passed ? "ok" : "WRONG",
                          check.name, check.points, check.worst, check.limit);
  if (!check.passed) text += fmt::format("; {}", check.explanation);
  return text + '\n';
}

}  // namespace

std::string SelectionReport::text() const {
  std::string text = line(criticality) + line(self_consistency);
  for (const auto& sentence : not_checked) text += fmt::format("not checked: {}\n", sentence);
  if (passed()) return text + "a selection on the samples\n";
  return text + fmt::format("not a selection: {}\n", criticality.passed        ? "it lacks self-consistency"
                                                     : self_consistency.passed ? "it lacks criticality"
                                                                               : "it lacks both properties");
}

SelectionReport check_selection(const SelectionMap& selection, const Objective& lower, const Vec& x, const Vec& y,
                                const SelectionCheckOptions& options) {
  check_options(options);
  if (lower.dim_x() != selection.lower().dim_x() || lower.dim_y() != selection.lower().dim_y()) {
    throw DimensionMismatch(
        fmt::format("check_selection needs the selection's lower objective on R^{} x R^{}, but "
                    "\"{}\" is on R^{} x R^{}",
                    selection.lower().dim_x(), selection.lower().dim_y(), lower.name(), lower.dim_x(), lower.dim_y()));
  }
  if (!all_finite(x) || !all_finite(y)) {
    throw InvalidInput("check_selection needs a finite point (x, y), but an entry is NaN or infinite");
  }
  return Examiner(selection, lower, options).run(x, y);
}

}  // namespace bilevel
