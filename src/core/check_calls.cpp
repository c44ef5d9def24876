#include "core/check_calls.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/check_answers.hpp"
#include "core/check_batch.hpp"

namespace bilevel {

namespace {

constexpr std::array kEvaluated{Oracle::value, Oracle::grad_x, Oracle::grad_y};

OracleSet provided(const Objective& objective, OracleSet among) {
  return among.without(among.without(objective.provides()));
}

OracleSet all_evaluated(const Objective& objective) {
  return provided(objective, Oracle::value | Oracle::grad_x | Oracle::grad_y);
}

/// All selections from the value and gradients that the objective provides, the empty one too.
std::vector<OracleSet> selections(const Objective& objective) {
  std::vector<OracleSet> all{{}};
  for (const auto oracle : kEvaluated) {
    if (!objective.provides().has(oracle)) continue;
    const auto count = all.size();
    for (std::size_t i = 0; i < count; ++i) all.push_back(all[i] | oracle);
  }
  return all;
}

Answers answers_of(const Products& products) {
  return {{Oracle::hess_yy, products.hess_yy}, {Oracle::hess_xy, products.hess_xy}};
}

/// Worst relative error of each oracle's answers over all comparisons made.
class Differences {
 public:
  Differences(const std::map<Oracle, double>& scale, OracleSet ignored) : scale_(scale), ignored_(ignored) {}

  /// The answers of `which` against those in `reference`; infinite where one is missing.
  void compare(OracleSet which, const Answers& answers, const Answers& reference) {
    for (const auto& [oracle, expected] : reference) {
      if (!which.has(oracle) || ignored_.has(oracle)) continue;
      const auto found = answers.find(oracle);
      const double error = found == answers.end() ? std::numeric_limits<double>::infinity()
                                                  : relative_error(found->second, expected, scale_.at(oracle));
      worst_[oracle] = worse(worst_[oracle], error);
    }
  }

  Check check(std::string name, double limit, std::string_view explanation) const {
    Check check{std::move(name), Check::Measure::relative_error, 0, limit, true, {}, ""};
    for (const auto& [oracle, error] : worst_) {
      check.measured = worse(check.measured, error);
      if (!(error <= limit)) check.suspects = check.suspects | oracle;
    }
    check.passed = check.suspects.empty();
    if (!check.passed) check.explanation = fmt::format("{} {}", to_string(check.suspects), explanation);
    return check;
  }

 private:
  const std::map<Oracle, double>& scale_;
  OracleSet ignored_;
  std::map<Oracle, double> worst_;
};

/// A point and batch of its own.
struct Station {
  Vec x, y;
  Batch batch;
};

class Histories {
 public:
  Histories(const Objective& objective, const CallPoint& point, Differences& differences)
      : phi_(objective),
        point_(point),
        differences_(differences),
        evaluated_(all_evaluated(objective)),
        products_(provided(objective, Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx)) {
    stations_.push_back({point.x, point.y, full});
    add_moved_points();
    add_batches();
    known_.resize(stations_.size());
  }

  void compare() {
    for (std::size_t i = 0; i < stations_.size(); ++i) {
      for (std::size_t j = 0; j < stations_.size(); ++j) {
        if (i != j) visit(i, j);
      }
    }
    for (std::size_t i = 0; i < stations_.size(); ++i) visit_in_place(i, (i + 1) % stations_.size());
  }

 private:
  bool is_finite(const Station& at) const {
    for (const auto& [oracle, answer] : answers_at(at, linearize(at.x, at.y, at.batch))) {
      if (!all_finite(answer)) return false;
    }
    return true;
  }

  /// A step along a direction, shorter and shorter until it stays where the objective is defined.
  void add_moved_points() {
    constexpr int kHalvings = 20;
    const auto length = [](const Vec& p) { return 0.1 * (1 + norm(p) / std::sqrt(static_cast<double>(p.size()))); };
    for (const bool along_x : {false, true}) {
      if (along_x && point_.x.size() == 0) continue;
      double step = length(along_x ? point_.x : point_.y);
      for (int k = 0; k < kHalvings; ++k, step /= 2) {
        Station moved = stations_.front();
        if (along_x) {
          moved.x += step * point_.u;
        } else {
          moved.y += step * point_.v;
        }
        if (!is_finite(moved)) continue;
        stations_.push_back(std::move(moved));
        break;
      }
    }
  }

  /// The two halves of the samples.
  void add_batches() {
    if (phi_.samples() < 2) return;
    indices_.resize(phi_.samples());
    std::iota(indices_.begin(), indices_.end(), 0U);
    const std::span<const std::uint32_t> all(indices_);
    const auto half = all.size() / 2;
    for (const auto part : {all.first(half), all.subspan(half)}) {
      Station station{point_.x, point_.y, Batch(part)};
      if (is_finite(station)) stations_.push_back(std::move(station));
    }
  }

  Linearization linearize(const Vec& x, const Vec& y, Batch batch) const {
    return phi_.linearize(x, y, batch, evaluated_);
  }

  Answers products_of(const Linearization& at) const {
    Answers answers;
    if (products_.has(Oracle::hess_yy)) answers[Oracle::hess_yy] = at.hess_yy(point_.v);
    if (products_.has(Oracle::hess_xy)) answers[Oracle::hess_xy] = at.hess_xy(point_.v);
    if (products_.has(Oracle::hess_yx)) answers[Oracle::hess_yx] = at.hess_yx(point_.u);
    return answers;
  }

  Answers answers_at(const Station& at, const Linearization& linearized) const {
    Answers answers = products_of(linearized);
    if (!evaluated_.empty()) answers.merge(answers_of(phi_.evaluate(evaluated_, at.x, at.y, at.batch)));
    return answers;
  }

  /// Against what station i answered when it was first asked.
  void check(std::size_t i, OracleSet which, const Answers& answers) {
    if (known_[i].empty()) {
      known_[i] = answers;
    } else {
      differences_.compare(which, answers, known_[i]);
    }
  }

  void check_all(std::size_t i, const Station& at, const Linearization& linearized) {
    check(i, evaluated_ | products_, answers_at(at, linearized));
    check(i, evaluated_, answers_of(linearized.evaluation()));
  }

  void visit(std::size_t i, std::size_t j) {
    const auto first = linearize(stations_[i].x, stations_[i].y, stations_[i].batch);
    check_all(i, stations_[i], first);
    const auto second = linearize(stations_[j].x, stations_[j].y, stations_[j].batch);
    check_all(j, stations_[j], second);
    check(i, products_, products_of(first));  // after the other one was made and used
    if (!evaluated_.empty()) {
      const auto again = phi_.evaluate(evaluated_, stations_[i].x, stations_[i].y, stations_[i].batch);
      check(i, evaluated_, answers_of(again));
    }
  }

  /// The same from vectors that the caller overwrites in between.
  void visit_in_place(std::size_t i, std::size_t j) {
    Station moving = stations_[i];
    const auto first = linearize(moving.x, moving.y, moving.batch);
    const auto& next = stations_[j];
    // Element by element: the memory stays the same.
    std::copy(next.x.begin(), next.x.end(), moving.x.begin());
    std::copy(next.y.begin(), next.y.end(), moving.y.begin());
    check(i, products_, products_of(first));
    moving.batch = next.batch;
    check_all(j, moving, linearize(moving.x, moving.y, moving.batch));
  }

  const Objective& phi_;
  const CallPoint& point_;
  Differences& differences_;
  OracleSet evaluated_, products_;
  std::vector<std::uint32_t> indices_;
  std::vector<Station> stations_;
  std::vector<Answers> known_;
};

/// Needs value or a gradient.
void compare_parts(const Objective& objective, const CallPoint& point, Batch batch, Differences& differences) {
  const auto all = all_evaluated(objective);
  const auto whole = answers_of(objective.evaluate(all, point.x, point.y, batch));
  const bool has_products = !objective.provides().without(all).empty();
  for (const auto selection : selections(objective)) {
    if (selection.empty()) continue;
    differences.compare(selection, answers_of(objective.evaluate(selection, point.x, point.y, batch)), whole);
    if (!has_products) continue;
    const auto beside = objective.linearize(point.x, point.y, batch, selection);
    differences.compare(selection, answers_of(beside.evaluation()), whole);
  }
}

/// Needs hess_yy and hess_xy.
void compare_along(const Objective& objective, const CallPoint& point, Batch batch, Differences& differences) {
  const auto at = objective.linearize(point.x, point.y, batch, all_evaluated(objective));
  const auto evaluation = answers_of(at.evaluation()), products = answers_of(at.both(point.v));
  for (const auto selection : selections(objective)) {
    const auto along = objective.evaluate_along(selection, point.x, point.y, point.v, batch);
    differences.compare(selection, answers_of(along.evaluation), evaluation);
    differences.compare(Oracle::hess_yy | Oracle::hess_xy, answers_of(along.products), products);
  }
}

std::vector<std::uint32_t> first_half(std::size_t samples) {
  std::vector<std::uint32_t> half(samples / 2);
  std::iota(half.begin(), half.end(), 0U);
  return half;
}

Check slopes_on(Batch batch, const Objective& objective, const CallPoint& point, double noise, OracleSet suspects) {
  // A wrong derivative has slope 1; a right one 2, which terms of higher order may lower somewhat.
  constexpr double kSmallestSlope = 1.5;
  const auto slopes =
      batch_slopes(objective, point.x, point.y, batch, point.u, point.v, noise, kSmallestSlope, suspects);
  Check check{
      "derivatives on a batch: Taylor slopes", Check::Measure::slope, slopes.worst, kSmallestSlope, true, {}, ""};
  check.passed = slopes.misfits.empty();
  for (const auto& [function, derivative] : slopes.misfits) {
    check.suspects = check.suspects | derivative;
    check.explanation += fmt::format("{}{} on a batch is not the derivative of {} on it",
                                     check.explanation.empty() ? "" : "; ", to_string(derivative), to_string(function));
  }
  return check;
}

}  // namespace

std::vector<Check> check_calls(const Objective& objective, const CallPoint& point,
                               const std::map<Oracle, double>& scale, double noise, double equal_within,
                               OracleSet suspects) {
  const auto half = first_half(objective.samples());
  const double limit = equal_within * noise;
  const OracleSet products = provided(objective, Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx);
  std::vector<Check> checks;
  const auto add = [&](Check check) {
    suspects = suspects | check.suspects;
    checks.push_back(std::move(check));
  };
  const auto on_both = [&](std::string name, const auto& compare, std::string_view explanation) {
    Differences differences(scale, suspects);
    compare(objective, point, full, differences);
    if (!half.empty()) compare(objective, point, Batch(half), differences);
    add(differences.check(std::move(name), limit, explanation));
  };
  if (!all_evaluated(objective).empty()) {
    on_both("parts of a call agree with the whole", compare_parts,
            "asked for alone, or with some of the others, differs from the answer beside all of them");
  }
  if (products.has(Oracle::hess_yy) && products.has(Oracle::hess_xy)) {
    on_both("evaluate_along agrees with linearize", compare_along,
            "of evaluate_along differs from what linearize and both give");
  }
  if (!products.empty()) {
    Differences differences(scale, suspects);
    Histories(objective, point, differences).compare();
    add(differences.check(
        "answers do not depend on earlier calls", limit,
        "at one point changes when another is linearized in between: what is cached must be kept with all that it "
        "depends on (x, y and batch), and each linearization must keep its own"));
  }
  if (!half.empty()) add(slopes_on(Batch(half), objective, point, noise, suspects));
  return checks;
}

}  // namespace bilevel
