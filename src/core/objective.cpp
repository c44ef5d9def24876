#include "bilevel/objective.hpp"

#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "bilevel/autodiff/tape.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

namespace {

constexpr std::array<Oracle, kOracleCount> kOracles{Oracle::value,   Oracle::grad_x,  Oracle::grad_y,
                                                    Oracle::hess_yy, Oracle::hess_xy, Oracle::hess_yx};

/// A sum of squares is finite only if every entry is, and comes at the speed of reading; where squares overflow, the
/// entries decide.
bool is_finite(const Vec& v) {
  constexpr Index kShort = 8;  // no more than a call would cost
  if (v.size() > kShort) return std::isfinite(autodiff::contiguous_dot(v.data(), v.data(), v.size())) || all_finite(v);
  double sum = 0;
  for (Index i = 0; i < v.size(); ++i) sum += 0 * v[i];
  return sum == 0;
}

bool is_finite(const Evaluation& answers) {
  return (!answers.value || std::isfinite(*answers.value)) && (!answers.grad_x || is_finite(*answers.grad_x)) &&
         (!answers.grad_y || is_finite(*answers.grad_y));
}

}  // namespace

class Objective::Stopwatch {
 public:
  Stopwatch(Pace& pace, OracleSet which, std::size_t samples) : pace_(pace) {
    std::uint64_t call = samples;
    for (const auto oracle : kOracles) call = 2 * call + which.has(oracle);
    const auto usual = pace.usual.load(std::memory_order_relaxed);
    const auto untimed = pace.untimed.load(std::memory_order_relaxed);
    if (usual > 0 && untimed < kMostUntimed && call == pace.call.load(std::memory_order_relaxed)) {
      pace.untimed.store(untimed + 1, std::memory_order_relaxed);
      charged_ = usual;
    } else {
      pace.usual.store(0, std::memory_order_relaxed);  // what is known belongs to another call
      pace.call.store(call, std::memory_order_relaxed);
      start_ = std::chrono::steady_clock::now();
    }
  }

  std::uint64_t nanoseconds() const {
    if (charged_ > 0) return charged_;
    const auto elapsed = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count());
    pace_.usual.store(elapsed < kShort ? static_cast<std::uint32_t>(elapsed) : 0, std::memory_order_relaxed);
    pace_.untimed.store(0, std::memory_order_relaxed);
    return elapsed;
  }

 private:
  static constexpr std::uint64_t kShort = 2000;
  static constexpr std::uint32_t kMostUntimed = 15;

  Pace& pace_;
  std::uint64_t charged_ = 0;  // nanoseconds of an untimed call
  std::chrono::steady_clock::time_point start_;
};

template <class Call>
auto Objective::told_if_it_throws(OracleSet which, const Call& call) const {
  try {
    return call();
  } catch (...) {
    tell_of_exception(which);
    throw;
  }
}

void Objective::look_at(const Products& products, const Vec& direction) const {
  if (!is_finite(products.hess_yy)) tell_of_nonfinite(Oracle::hess_yy, products.hess_yy, direction);
  if (!is_finite(products.hess_xy)) tell_of_nonfinite(Oracle::hess_xy, products.hess_xy, direction);
}

std::string_view to_string(Oracle oracle) {
  constexpr std::array<std::string_view, kOracleCount> names{"value",   "grad_x",  "grad_y",
                                                             "hess_yy", "hess_xy", "hess_yx"};
  return names[static_cast<std::size_t>(oracle)];
}

std::string to_string(OracleSet set) {
  std::string text;
  for (const auto oracle : kOracles) {
    if (!set.has(oracle)) continue;
    if (!text.empty()) text += ", ";
    text += to_string(oracle);
  }
  return text;
}

std::uint64_t OracleCounts::total() const { return std::accumulate(calls.begin(), calls.end(), std::uint64_t{0}); }

std::string to_string(const Kink& kink) {
  constexpr double kRounding = 1e-13;  // of some hundred operations
  const std::string_view switch_name = kink.order == 0 ? "switch" : "corner";
  if (kink.is_within(kRounding)) return fmt::format("{}, at its {}", kink.what, switch_name);
  return fmt::format("{}, {:.3g} from its {}", kink.what, kink.distance, switch_name);
}

OracleCounts operator-(const OracleCounts& later, const OracleCounts& earlier) {
  OracleCounts difference;
  for (std::size_t i = 0; i < kOracleCount; ++i) {
    difference.calls[i] = later.calls[i] - earlier.calls[i];
    difference.samples[i] = later.samples[i] - earlier.samples[i];
  }
  difference.seconds = later.seconds - earlier.seconds;
  return difference;
}

Linearization::Linearization(const Objective& objective, std::size_t samples, Evaluation evaluation,
                             std::unique_ptr<const Implementation> implementation)
    : objective_(&objective),
      samples_(samples),
      evaluation_(std::move(evaluation)),
      implementation_(std::move(implementation)) {}

Vec Linearization::hess_yy(const Vec& v) const {
  objective_->require(Oracle::hess_yy);
  objective_->check_direction("v", v, objective_->dim_y());
  const Objective::Stopwatch watch(objective_->products_, Oracle::hess_yy, samples_);
  Vec result = objective_->told_if_it_throws(Oracle::hess_yy, [&] { return implementation_->hess_yy(v); });
  objective_->check_answer(Oracle::hess_yy, result, objective_->dim_y());
  objective_->count(Oracle::hess_yy, samples_, watch.nanoseconds());
  if (finite_point_ && !is_finite(result)) objective_->tell_of_nonfinite(Oracle::hess_yy, result, v);
  return result;
}

Vec Linearization::hess_xy(const Vec& v) const {
  objective_->require(Oracle::hess_xy);
  objective_->check_direction("v", v, objective_->dim_y());
  const Objective::Stopwatch watch(objective_->products_, Oracle::hess_xy, samples_);
  Vec result = objective_->told_if_it_throws(Oracle::hess_xy, [&] { return implementation_->hess_xy(v); });
  objective_->check_answer(Oracle::hess_xy, result, objective_->dim_x());
  objective_->count(Oracle::hess_xy, samples_, watch.nanoseconds());
  if (finite_point_ && !is_finite(result)) objective_->tell_of_nonfinite(Oracle::hess_xy, result, v);
  return result;
}

Vec Linearization::hess_yx(const Vec& u) const {
  objective_->require(Oracle::hess_yx);
  objective_->check_direction("u", u, objective_->dim_x());
  const Objective::Stopwatch watch(objective_->products_, Oracle::hess_yx, samples_);
  Vec result = objective_->told_if_it_throws(Oracle::hess_yx, [&] { return implementation_->hess_yx(u); });
  objective_->check_answer(Oracle::hess_yx, result, objective_->dim_y());
  objective_->count(Oracle::hess_yx, samples_, watch.nanoseconds());
  if (finite_point_ && !is_finite(result)) objective_->tell_of_nonfinite(Oracle::hess_yx, result, u);
  return result;
}

Products Linearization::both(const Vec& v) const {
  constexpr OracleSet which = Oracle::hess_yy | Oracle::hess_xy;
  objective_->require(which);
  objective_->check_direction("v", v, objective_->dim_y());
  const Objective::Stopwatch watch(objective_->products_, which, samples_);
  Products result = objective_->told_if_it_throws(which, [&] { return implementation_->both(v); });
  objective_->check_answer(Oracle::hess_yy, result.hess_yy, objective_->dim_y());
  objective_->check_answer(Oracle::hess_xy, result.hess_xy, objective_->dim_x());
  objective_->count(which, samples_, watch.nanoseconds());
  if (finite_point_) objective_->look_at(result, v);
  return result;
}

Objective::Objective(std::string name, Index dim_x, Index dim_y, std::size_t samples)
    : name_(std::move(name)), dim_x_(dim_x), dim_y_(dim_y), samples_(samples) {
  if (dim_x < 0 || dim_y < 1 || samples < 1) {
    throw DimensionMismatch(fmt::format(
        "objective '{}' needs dim_x >= 0, dim_y >= 1 and at least one sample, but has dim_x {}, dim_y {}, {} samples",
        name_, dim_x, dim_y, samples));
  }
}

double Objective::value(const Vec& x, const Vec& y, Batch batch) const {
  return *evaluate(Oracle::value, x, y, batch).value;
}
Vec Objective::grad_x(const Vec& x, const Vec& y, Batch batch) const {
  return *evaluate(Oracle::grad_x, x, y, batch).grad_x;
}
Vec Objective::grad_y(const Vec& x, const Vec& y, Batch batch) const {
  return *evaluate(Oracle::grad_y, x, y, batch).grad_y;
}
Vec Objective::hess_yy(const Vec& x, const Vec& y, const Vec& v, Batch batch) const {
  require(Oracle::hess_yy);
  return linearize(x, y, batch).hess_yy(v);
}
Vec Objective::hess_xy(const Vec& x, const Vec& y, const Vec& v, Batch batch) const {
  require(Oracle::hess_xy);
  return linearize(x, y, batch).hess_xy(v);
}
Vec Objective::hess_yx(const Vec& x, const Vec& y, const Vec& u, Batch batch) const {
  require(Oracle::hess_yx);
  return linearize(x, y, batch).hess_yx(u);
}

void Objective::require_no_products(std::string_view call, OracleSet want) const {
  constexpr OracleSet products = Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx;
  if (want.without(products) == want) return;
  throw MissingOracle(fmt::format("{} needs value, grad_x or grad_y; for {} call linearize", call, to_string(want)));
}

Evaluation Objective::evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const {
  require_no_products("evaluate", want);
  require(want);
  check_point(x, y, batch);
  const Stopwatch watch(evaluations_, want, batch.size(samples_));
  Evaluation result = told_if_it_throws(want, [&] { return do_evaluate(want, x, y, batch); });
  check_answers(want, result);
  count(want, batch.size(samples_), watch.nanoseconds());
  if (!is_finite(result)) tell_of_nonfinite(result, x, y);
  return result;
}

Linearization Objective::linearize(const Vec& x, const Vec& y, Batch batch, OracleSet also) const {
  require(also);
  check_point(x, y, batch);
  const Stopwatch watch(linearizations_, also, batch.size(samples_));
  Evaluation evaluation;
  auto implementation = told_if_it_throws(also, [&] { return do_linearize(x, y, batch, also, evaluation); });
  if (!implementation) throw MissingOracle(fmt::format("objective '{}' returned no linearization", name_));
  check_answers(also, evaluation);
  count(also, batch.size(samples_), watch.nanoseconds());
  if (!is_finite(evaluation)) tell_of_nonfinite(evaluation, x, y);
  Linearization here(*this, batch.size(samples_), std::move(evaluation), std::move(implementation));
  here.finite_point_ = is_finite(x) && is_finite(y);
  return here;
}

EvaluationAndProducts Objective::evaluate_along(OracleSet want, const Vec& x, const Vec& y, const Vec& v,
                                                Batch batch) const {
  require_no_products("evaluate_along", want);
  const OracleSet which = want | Oracle::hess_yy | Oracle::hess_xy;
  require(which);
  check_point(x, y, batch);
  check_direction("v", v, dim_y_);
  const Stopwatch watch(alongs_, which, batch.size(samples_));
  EvaluationAndProducts result = told_if_it_throws(which, [&] { return do_evaluate_along(want, x, y, v, batch); });
  check_answers(want, result.evaluation);
  check_answer(Oracle::hess_yy, result.products.hess_yy, dim_y_);
  check_answer(Oracle::hess_xy, result.products.hess_xy, dim_x_);
  count(which, batch.size(samples_), watch.nanoseconds());
  if (!is_finite(result.evaluation)) tell_of_nonfinite(result.evaluation, x, y);
  const auto& [H_v, B_v] = result.products;
  if (!(is_finite(H_v) && is_finite(B_v)) && is_finite(x) && is_finite(y)) look_at(result.products, v);
  return result;
}

EvaluationAndProducts Objective::do_evaluate_along(OracleSet want, const Vec& x, const Vec& y, const Vec& v,
                                                   Batch batch) const {
  EvaluationAndProducts result;
  const auto here = do_linearize(x, y, batch, want, result.evaluation);
  if (!here) throw MissingOracle(fmt::format("objective '{}' returned no linearization", name_));
  result.products = here->both(v);
  return result;
}

OracleCounts Objective::counts() const {
  OracleCounts counts;
  for (std::size_t i = 0; i < kOracleCount; ++i) {
    counts.calls[i] = calls_[i].load(std::memory_order_relaxed);
    counts.samples[i] = counts.calls[i] + further_samples_[i].load(std::memory_order_relaxed);
  }
  counts.seconds = 1e-9 * static_cast<double>(nanoseconds_.load(std::memory_order_relaxed));
  return counts;
}

void Objective::check_point(const Vec& x, const Vec& y, Batch batch) const {
  check_direction("x", x, dim_x_);
  check_direction("y", y, dim_y_);
  if (batch.is_full()) return;
  if (batch.indices().empty()) throw DimensionMismatch(fmt::format("objective '{}' got an empty batch", name_));
  for (const auto index : batch.indices()) {
    if (index >= samples_) {
      throw DimensionMismatch(
          fmt::format("objective '{}' has {} samples, but the batch asks for sample {}", name_, samples_, index));
    }
  }
}

void Objective::check_direction(std::string_view what, const Vec& direction, Index expected) const {
  if (direction.size() != expected) {
    throw DimensionMismatch(fmt::format("objective '{}' needs {} of length {}, but the call provides length {}", name_,
                                        what, expected, direction.size()));
  }
}

void Objective::check_answer(Oracle oracle, const Vec& answer, Index expected) const {
  if (answer.size() != expected) {
    throw DimensionMismatch(fmt::format("objective '{}' must answer {} with length {}, but its answer has length {}",
                                        name_, to_string(oracle), expected, answer.size()));
  }
}

void Objective::check_answers(OracleSet wanted, const Evaluation& answers) const {
  const bool unanswered = (wanted.has(Oracle::value) && !answers.value) ||
                          (wanted.has(Oracle::grad_x) && !answers.grad_x) ||
                          (wanted.has(Oracle::grad_y) && !answers.grad_y);
  if (unanswered) {
    throw MissingOracle(
        fmt::format("objective '{}' was asked for {} but left some of it empty", name_, to_string(wanted)));
  }
  if (answers.grad_x) check_answer(Oracle::grad_x, *answers.grad_x, dim_x_);
  if (answers.grad_y) check_answer(Oracle::grad_y, *answers.grad_y, dim_y_);
}

void Objective::require(OracleSet wanted) const {
  const OracleSet missing = wanted.without(provides());
  if (!missing.empty()) {
    throw MissingOracle(fmt::format("the call needs {} of objective '{}', but it provides only {}", to_string(missing),
                                    name_, to_string(provides())));
  }
}

void Objective::count(OracleSet which, std::size_t samples, std::uint64_t nanoseconds) const {
  for (std::size_t i = 0; i < kOracleCount; ++i) {
    if (!which.has(kOracles[i])) continue;
    calls_[i].fetch_add(1, std::memory_order_relaxed);
    if (samples > 1) further_samples_[i].fetch_add(samples - 1, std::memory_order_relaxed);
  }
  nanoseconds_.fetch_add(nanoseconds, std::memory_order_relaxed);
}

}  // namespace bilevel
