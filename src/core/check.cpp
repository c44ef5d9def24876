#include "bilevel/check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bilevel/batch.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "core/check_answers.hpp"
#include "core/check_arguments.hpp"
#include "core/check_calls.hpp"
#include "core/check_kinks.hpp"
#include "core/taylor_slope.hpp"

namespace bilevel {

namespace {

// Between the slope 1 of a wrong derivative and the 2 of a right one, nearer to 2: the fit is good to 0.1.
constexpr double kSmallestSlope = 1.7;
constexpr double kCertainlyWrong = 1.5;
// Equal answers may differ by the rounding of another order of summation: a few times that of one evaluation.
constexpr double kEqualWithin = 10;

constexpr OracleSet kEvaluated = Oracle::value | Oracle::grad_x | Oracle::grad_y;
constexpr OracleSet kProducts = Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx;
constexpr std::array kOracles{Oracle::value,   Oracle::grad_x,  Oracle::grad_y,
                              Oracle::hess_yy, Oracle::hess_xy, Oracle::hess_yx};

class Checker {
 public:
  Checker(const Objective& objective, const Vec& x, const Vec& y, const CheckOptions& options)
      : phi_(objective), x_(x), y_(y), options_(options), random_(options.seed), has_(objective.provides()) {}

  CheckReport run() {
    for (int k = 0; k < options_.directions; ++k) directions_.push_back({normal(x_.size()), normal(y_.size())});
    if (!shapes_fit()) return std::move(report_);
    find_scales();
    gradients();
    products();
    structure();
    fused_calls();
    repetition();
    batches();
    other_calls();
    return std::move(report_);
  }

 private:
  struct Direction {
    Vec u;  // R^n
    Vec v;  // R^m
  };

  Vec normal(Index size) {
    Vec d(size);
    for (auto& entry : d) entry = random_.normal();
    return d;
  }

  bool has(OracleSet wanted) const { return wanted.without(has_).empty(); }
  OracleSet provided(OracleSet among) const { return among.without(among.without(has_)); }

  Answers evaluate(Batch batch = full) const { return answers_of(phi_.evaluate(provided(kEvaluated), x_, y_, batch)); }

  Answers products_at(const Linearization& at) const {
    Answers answers;
    if (has(Oracle::hess_yy)) answers[Oracle::hess_yy] = at.hess_yy(directions_[0].v);
    if (has(Oracle::hess_xy)) answers[Oracle::hess_xy] = at.hess_xy(directions_[0].v);
    if (has(Oracle::hess_yx)) answers[Oracle::hess_yx] = at.hess_yx(directions_[0].u);
    return answers;
  }

  Answers all_answers(Batch batch) const {
    Answers answers = evaluate(batch);
    if (!provided(kProducts).empty()) answers.merge(products_at(phi_.linearize(x_, y_, batch)));
    return answers;
  }

  void add(std::string name, double error, OracleSet suspects, std::string explanation) {
    const double limit = kEqualWithin * options_.noise;
    const bool passed = error <= limit;
    if (passed) suspects = {}, explanation.clear();
    report_.checks.push_back(
        {std::move(name), Check::Measure::relative_error, error, limit, passed, suspects, std::move(explanation)});
  }

  /// Compares oracle by oracle; `left` and `right` name the calls.
  void add_equal(std::string name, const Answers& a, const Answers& b, std::string_view left, std::string_view right) {
    double worst = 0;
    OracleSet differing;
    for (const auto& [oracle, answer] : a) {
      const auto other = b.find(oracle);
      const double error = relative_error(answer, other == b.end() ? Vec() : other->second, scale_.at(oracle));
      if (!(error <= kEqualWithin * options_.noise)) differing = differing | oracle;
      worst = worse(worst, error);
    }
    add(std::move(name), worst, differing, fmt::format("{} of {} and {} differ", to_string(differing), left, right));
  }

  /// Everything filled, in its length (Objective itself refuses other answers), and finite; the other checks would be
  /// meaningless.
  bool shapes_fit() {
    std::string misfits;
    OracleSet suspects;
    const auto add_misfit = [&](OracleSet blamed, std::string_view sentence) {
      suspects = suspects | blamed;
      misfits += fmt::format("{}{}", misfits.empty() ? "" : "; ", sentence);
    };
    const auto expect = [&](OracleSet blamed, std::string_view call, const auto& answers_of_call) {
      try {
        for (const auto& [oracle, answer] : answers_of_call()) {
          if (!all_finite(answer)) {
            add_misfit(oracle, fmt::format("{} of {} is not finite at this point", to_string(oracle), call));
          }
        }
      } catch (const Error& error) {
        add_misfit(blamed, error.what());
      }
    };
    expect(provided(kEvaluated), "evaluate", [&] { return base_ = evaluate(); });
    expect(provided(kEvaluated), "linearize",
           [&] { return answers_of(phi_.linearize(x_, y_, full, provided(kEvaluated)).evaluation()); });
    for (const auto oracle : kOracles) {
      if (!misfits.empty() || !provided(kProducts).has(oracle)) continue;
      expect(oracle, "linearize", [&] {
        const auto at = phi_.linearize(x_, y_);
        Answers answers;
        if (oracle == Oracle::hess_yy) answers[oracle] = at.hess_yy(directions_[0].v);
        if (oracle == Oracle::hess_xy) answers[oracle] = at.hess_xy(directions_[0].v);
        if (oracle == Oracle::hess_yx) answers[oracle] = at.hess_yx(directions_[0].u);
        return answers;
      });
    }
    if (misfits.empty() && has(Oracle::hess_yy | Oracle::hess_xy)) {
      expect(Oracle::hess_yy | Oracle::hess_xy, "both", [&] {
        const auto both = phi_.linearize(x_, y_).both(directions_[0].v);
        return Answers{{Oracle::hess_yy, both.hess_yy}, {Oracle::hess_xy, both.hess_xy}};
      });
    }
    const bool fit = misfits.empty();
    if (const auto why = fit ? std::string() : phi_.explain_nonfinite(x_, y_); !why.empty()) misfits += ": " + why;
    add("answers filled, of the right length, finite", fit ? 0 : 1, suspects, misfits);
    return fit;
  }

  /// The size of the terms each answer is the sum of: where a gradient vanishes, that of its change over a unit step.
  void find_scales() {
    const auto& [u, v] = directions_[0];
    for (const auto oracle : kOracles) scale_[oracle] = 0;
    for (const auto& [oracle, answer] : base_) scale_[oracle] = norm(answer);
    if (has(Oracle::grad_x)) scale_[Oracle::value] += std::abs(dot(base_.at(Oracle::grad_x), u));
    if (has(Oracle::grad_y)) scale_[Oracle::value] += std::abs(dot(base_.at(Oracle::grad_y), v));
    if (has(Oracle::hess_xy)) scale_[Oracle::grad_x] += norm(phi_.hess_xy(x_, y_, v));
    if (has(Oracle::hess_yy)) scale_[Oracle::grad_y] += norm(phi_.hess_yy(x_, y_, v));
  }

  /// An oracle as function of the point, and its derivative in each direction of x or y.
  struct Expansion {
    std::string name;
    Oracle function;
    Oracle derivative;
    bool along_x;
    std::function<Vec(const Vec& x, const Vec& y)> evaluate;
    std::function<Vec(const Direction&)> derivative_along;
  };

  TaylorSlope slope(const Expansion& e) const {
    const Vec& point = e.along_x ? x_ : y_;
    const double typical_entry = norm(point) / std::sqrt(static_cast<double>(point.size()));
    const Vec& at_point = base_.at(e.function);
    std::vector<TaylorSlope> results;
    for (const auto& direction : directions_) {
      const Vec derivative = e.derivative_along(direction);
      // The second term: what rounding of the point itself, and of terms that cancel at it, does to the function.
      const double scale = norm(at_point) + norm(derivative) * (1 + typical_entry);
      const auto remainder = [&](double t) {
        const Vec moved = e.along_x ? e.evaluate(x_ + t * direction.u, y_) : e.evaluate(x_, y_ + t * direction.v);
        return norm(moved - at_point - t * derivative);
      };
      results.push_back(taylor_slope(remainder, scale, options_.noise));
    }
    // A slope nearer to 1 than to 2 convicts in any direction. Between that and the limit higher terms may be at work:
    // by accident in one direction, while a wrong derivative shows in almost all of them.
    std::ranges::sort(results, {}, &TaylorSlope::slope);
    return results.front().slope < kCertainlyWrong ? results.front() : results[(results.size() - 1) / 2];
  }

  bool add_slope(const Expansion& e, OracleSet function_suspects) {
    const auto measured = slope(e);
    const bool passed = measured.slope >= kSmallestSlope;
    const auto function = to_string(e.function), derivative = to_string(e.derivative);
    const auto variable = e.along_x ? 'x' : 'y';
    Check check{e.name, Check::Measure::slope, measured.slope, kSmallestSlope, passed, {}, ""};
    if (passed) {
      // nothing to explain
    } else if (!measured.finite) {
      check.suspects = e.function;
      check.explanation = fmt::format("{} is not finite at any step along {}", function, variable);
    } else if (const auto kink = kink_near(e); kink) {
      check.at_kink = true;
      check.explanation = fmt::format("{} has a kink here, so that {} is neither right nor wrong: {}", function,
                                      derivative, to_string(*kink));
    } else if (measured.flat) {
      check.suspects = e.function | e.derivative;
      check.explanation = fmt::format(
          "{} is not the derivative of {} along {}, or {} is less exact than noise = {:g} says: its remainder stays "
          "flat "
          "over a range of steps (what is computed in float32 should say so by rounding())",
          derivative, function, variable, function, options_.noise);
    } else if (!function_suspects.empty()) {
      check.suspects = function_suspects;
      check.explanation =
          fmt::format("{} is not the derivative of {} along {}, but {} failed its own check: correct {} first",
                      derivative, function, variable, function, to_string(function_suspects));
    } else {
      check.suspects = has_slope_check(e.function) ? OracleSet(e.derivative) : e.function | e.derivative;
      check.explanation = fmt::format("{} is not the derivative of {} along {}", derivative, function, variable);
    }
    report_.checks.push_back(std::move(check));
    return passed || report_.checks.back().at_kink;
  }

  std::optional<Kink> kink_near(const Expansion& e) const {
    for (const auto& [u, v] : directions_) {
      const Vec dx = e.along_x ? u : Vec(Vec::Zero(u.size())), dy = e.along_x ? Vec(Vec::Zero(v.size())) : v;
      const auto kink = kink_in_the_way(phi_, x_, y_, dx, dy, e.function == Oracle::value ? 1 : 2);
      if (kink) return kink;
    }
    return std::nullopt;
  }

  /// Whether the function of an expansion was itself checked (a value is what everything else is measured by).
  bool has_slope_check(Oracle function) const { return function == Oracle::value || has(Oracle::value); }

  bool ready(std::string_view name, OracleSet needs) {
    const auto missing = needs.without(has_);
    if (missing.empty()) return true;
    report_.not_checked.push_back(fmt::format("{}, which needs {}", name, to_string(missing)));
    return false;
  }

  void gradients() {
    const auto value = [this](const Vec& x, const Vec& y) { return Vec(Vec::Constant(1, phi_.value(x, y))); };
    if (phi_.dim_x() > 0 && ready("grad_x", Oracle::value | Oracle::grad_x)) {
      const Vec& gradient = base_.at(Oracle::grad_x);
      const auto along = [&](const Direction& d) { return Vec(Vec::Constant(1, dot(gradient, d.u))); };
      const Expansion e{"grad_x: Taylor slope of value", Oracle::value, Oracle::grad_x, true, value, along};
      if (!add_slope(e, {})) wrong_ = wrong_ | Oracle::grad_x;
    }
    if (ready("grad_y", Oracle::value | Oracle::grad_y)) {
      const Vec& gradient = base_.at(Oracle::grad_y);
      const auto along = [&](const Direction& d) { return Vec(Vec::Constant(1, dot(gradient, d.v))); };
      const Expansion e{"grad_y: Taylor slope of value", Oracle::value, Oracle::grad_y, false, value, along};
      if (!add_slope(e, {})) wrong_ = wrong_ | Oracle::grad_y;
    }
    if (!wrong_.has(Oracle::grad_x) || !wrong_.has(Oracle::grad_y)) return;
    for (auto& check : report_.checks) {
      if (check.passed) continue;
      check.suspects = check.suspects | Oracle::value;
      check.explanation += "; since grad_x and grad_y both fail, value itself may be the wrong one";
    }
  }

  void products() {
    const auto grad_x = [this](const Vec& x, const Vec& y) { return phi_.grad_x(x, y); };
    const auto grad_y = [this](const Vec& x, const Vec& y) { return phi_.grad_y(x, y); };
    const auto blame = [this](Oracle gradient) { return wrong_.has(gradient) ? OracleSet(gradient) : OracleSet(); };
    const auto check = [&](const Expansion& e) {
      if (!ready(to_string(e.derivative), e.function | e.derivative)) return;
      if (!add_slope(e, blame(e.function)) && blame(e.function).empty()) wrong_ = wrong_ | e.derivative;
    };
    check({"hess_yy: Taylor slope of grad_y", Oracle::grad_y, Oracle::hess_yy, false, grad_y,
           [this](const Direction& d) { return phi_.hess_yy(x_, y_, d.v); }});
    if (phi_.dim_x() == 0) return;
    check({"hess_xy: slope of grad_x along y", Oracle::grad_x, Oracle::hess_xy, false, grad_x,
           [this](const Direction& d) { return phi_.hess_xy(x_, y_, d.v); }});
    check({"hess_yx: slope of grad_y along x", Oracle::grad_y, Oracle::hess_yx, true, grad_y,
           [this](const Direction& d) { return phi_.hess_yx(x_, y_, d.u); }});
  }

  void structure() {
    if (has(Oracle::hess_yy)) {
      double worst = 0;
      const auto at = phi_.linearize(x_, y_);
      for (const auto& direction : directions_) {
        const Vec w = normal(y_.size());
        const Vec Hv = at.hess_yy(direction.v), Hw = at.hess_yy(w);
        const double difference = std::abs(dot(w, Hv) - dot(direction.v, Hw));
        const double scale = norm(w) * norm(Hv) + norm(direction.v) * norm(Hw);
        if (difference != 0) worst = worse(worst, difference / scale);
      }
      add("hess_yy symmetric", worst, Oracle::hess_yy, "w' hess_yy(v) differs from v' hess_yy(w)");
    }
    if (phi_.dim_x() > 0 && has(Oracle::hess_xy | Oracle::hess_yx)) {
      double worst = 0;
      const auto at = phi_.linearize(x_, y_);
      for (const auto& [u, v] : directions_) {
        const Vec Bv = at.hess_xy(v), Btu = at.hess_yx(u);
        const double difference = std::abs(dot(u, Bv) - dot(Btu, v));
        if (difference != 0) worst = worse(worst, difference / (norm(u) * norm(Bv) + norm(v) * norm(Btu)));
      }
      const OracleSet pair = Oracle::hess_xy | Oracle::hess_yx;
      const OracleSet known = pair.without(pair.without(wrong_));
      add("hess_xy and hess_yx adjoint", worst, known.empty() ? pair : known,
          fmt::format("u' hess_xy(v) differs from v' hess_yx(u){}",
                      known.empty() ? "" : fmt::format(", because {} is wrong", to_string(known))));
    }
  }

  void fused_calls() {
    Answers single;
    if (has(Oracle::value)) single[Oracle::value] = Vec::Constant(1, phi_.value(x_, y_));
    if (has(Oracle::grad_x)) single[Oracle::grad_x] = phi_.grad_x(x_, y_);
    if (has(Oracle::grad_y)) single[Oracle::grad_y] = phi_.grad_y(x_, y_);
    if (!provided(kEvaluated).empty()) {
      add_equal("evaluate agrees with single calls", base_, single, "evaluate", "the single calls");
    }
    if (provided(kProducts).empty()) return;
    const auto at = phi_.linearize(x_, y_, full, provided(kEvaluated));
    if (!provided(kEvaluated).empty()) {
      add_equal("linearize agrees with evaluate", answers_of(at.evaluation()), base_, "linearize", "evaluate");
    }
    if (!has(Oracle::hess_yy | Oracle::hess_xy)) return;
    const Vec& v = directions_[0].v;
    const auto both = at.both(v);
    add_equal("both agrees with single products", {{Oracle::hess_yy, both.hess_yy}, {Oracle::hess_xy, both.hess_xy}},
              {{Oracle::hess_yy, at.hess_yy(v)}, {Oracle::hess_xy, at.hess_xy(v)}}, "both", "the single products");
  }

  /// Bit for bit: between calls, and between products of one linearisation.
  void repetition() {
    Answers again = evaluate();
    Answers first = base_;
    if (!provided(kProducts).empty()) {
      const auto at = phi_.linearize(x_, y_);
      first.merge(products_at(at));
      again.merge(products_at(at));
    }
    OracleSet differing;
    double worst = 0;
    for (const auto& [oracle, answer] : first) {
      const double error = relative_error(answer, again.at(oracle), scale_.at(oracle));
      if (error == 0) continue;
      differing = differing | oracle;
      worst = worse(worst, error);
    }
    report_.checks.push_back(
        {"same call, same answer", Check::Measure::relative_error, worst, 0, differing.empty(), differing,
         differing.empty() ? "" : fmt::format("{} changes from call to call", to_string(differing))});
  }

  void batches() {
    const std::size_t count = phi_.samples();
    if (count < 2) return;
    const std::size_t size = options_.batch_size > 0 ? options_.batch_size : (count + 2) / 3;
    const Answers whole = all_answers(full);
    Answers average, magnitude;
    for (const auto& [oracle, answer] : whole) average[oracle] = magnitude[oracle] = Vec::Zero(answer.size());
    Sampler sampler(count, size, options_.seed);
    std::vector<std::uint32_t> drawn;
    for (std::size_t done = 0; done < count;) {
      const Batch batch = sampler.next();
      const double share = static_cast<double>(batch.indices().size()) / static_cast<double>(count);
      const Answers part = all_answers(batch);
      for (auto& [oracle, sum] : average) {
        const auto found = part.find(oracle);
        if (found == part.end() || found->second.size() != sum.size()) {
          sum.setConstant(std::numeric_limits<double>::quiet_NaN());
        } else {
          sum += share * found->second;
          magnitude[oracle] += share * found->second.cwiseAbs();
        }
      }
      drawn.assign(batch.indices().begin(), batch.indices().end());
      done += drawn.size();
    }
    for (const auto& [oracle, answer] : whole) {
      // Batches may cancel each other, so the error is measured by their size, not by that of the average.
      const double scale = std::max(norm(magnitude[oracle]), scale_.at(oracle));
      add(fmt::format("batches unbiased: {}", to_string(oracle)), relative_error(average[oracle], answer, scale),
          oracle,
          fmt::format(
              "the average of {} over the batches of an epoch is not its full answer: a batch must average over "
              "its own samples",
              to_string(oracle)));
    }
    std::vector<std::uint32_t> twice = drawn;
    twice.insert(twice.end(), drawn.begin(), drawn.end());
    add_equal("batches with repeated samples", all_answers(Batch(twice)), all_answers(Batch(drawn)),
              "a batch with every sample twice", "the batch with each once");
  }

  /// Calls that give the same answers in other ways. What has failed already is not accused again.
  void other_calls() {
    const CallPoint point{x_, y_, directions_[0].u, directions_[0].v};
    for (auto& check : check_calls(phi_, point, scale_, options_.noise, kEqualWithin, report_.suspects())) {
      report_.checks.push_back(std::move(check));
    }
  }

  const Objective& phi_;
  const Vec& x_;
  const Vec& y_;
  const CheckOptions& options_;
  Random random_;
  OracleSet has_;
  std::vector<Direction> directions_;
  Answers base_;  // evaluate at the point
  std::map<Oracle, double> scale_;
  OracleSet wrong_;  // those whose own slope check failed
  CheckReport report_;
};

}  // namespace

CheckReport check_objective(const Objective& objective, const Vec& x, const Vec& y, const CheckOptions& options) {
  check_arguments(objective, x, y, options);
  auto used = options;
  used.noise = std::max(options.noise, 10 * objective.rounding());
  return Checker(objective, x, y, used).run();
}

}  // namespace bilevel
