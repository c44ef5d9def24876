#include "run/watched_step.hpp"

#include <cmath>
#include <new>

#include <fmt/format.h>

namespace bilevel {

namespace {

/// What a step that went well left or reported that is not finite; empty if nothing. What was reported of a pair that
/// the leader did not keep is no part of it.
std::string nonfinite_part(const OuterMethod::State& state, const StepReport& report) {
  if (!all_finite(state.x)) return "a leader x that is not finite";
  if (!all_finite(state.y)) return "a follower y that is not finite";
  if (!report.accepted) return {};
  if (!std::isfinite(report.upper)) return fmt::format("f = {}", report.upper);
  if (report.lower && !std::isfinite(*report.lower)) return fmt::format("g = {}", *report.lower);
  if (!std::isfinite(report.hypergradient_norm)) return fmt::format("|hypergradient| = {}", report.hypergradient_norm);
  return {};
}

}  // namespace

std::string what_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return "there is not enough memory";
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

WatchedSteps::WatchedSteps(const BilevelProblem& problem, const OuterMethod& method)
    : problem_(problem), method_(method), watch_({problem.upper.get(), problem.lower.get()}) {}

StepReport WatchedSteps::step(OuterMethod::State& state) {
  watch_.take();  // what observers asked since the last step is theirs
  error_ = nullptr;
  StepReport report;
  const Index number = state.iteration + 1;
  try {
    if (state.iteration == 0) {  // what the follower's residuals are measured against
      const double residual = norm(problem_.lower->grad_y(state.x, state.y));
      if (std::isfinite(residual)) state.progress.largest_residual = residual;
    }
    report = method_.step(problem_, state);
  } catch (...) {
    error_ = std::current_exception();
  }
  const auto notes = watch_.take();
  const auto first = [&] { return describe(*notes.first_nonfinite, role(notes.first_nonfinite->objective)); };
  if (error_) {
    // A method that refuses to go on with what a non-finite answer led to has met a number, not misuse.
    const bool oracle_threw = notes.last_exception && notes.last_exception->error == error_;
    report.status = notes.first_nonfinite && !oracle_threw ? Status::nonfinite : Status::exception;
    report.message = origin(error_, notes) + what_of(error_);
  }
  if (report.status == Status::converged) {
    const std::string part = nonfinite_part(state, report);
    if (!part.empty()) {
      report.status = Status::nonfinite;
      report.message = "it ended with " + part;
    } else if (notes.nonfinite > 0) {
      if (avoided_ == 0) first_avoided_ = fmt::format("in step {}: {}", number, first());
      avoided_ += notes.nonfinite;
    }
  }
  if (report.status != Status::converged && report.status != Status::exception && notes.first_nonfinite) {
    report.message = fmt::format("{}; {}", first(), report.message);
  }
  return report;
}

std::vector<Finding> WatchedSteps::findings() const {
  if (avoided_ == 0) return {};
  return {{"nonfinite_answers", static_cast<double>(avoided_),
           fmt::format("{} of an oracle {} not finite in steps that avoided {} and ended well, the first {}",
                       avoided_ == 1 ? "an answer" : fmt::format("{} answers", avoided_),
                       avoided_ == 1 ? "was" : "were", avoided_ == 1 ? "it" : "them", first_avoided_)}};
}

std::string WatchedSteps::role(const Objective* objective) const {
  if (problem_.upper == problem_.lower) return "upper and lower objective";
  return objective == problem_.upper.get() ? "upper objective" : "lower objective";
}

std::string WatchedSteps::origin(const std::exception_ptr& error, const OracleWatch::Notes& notes) const {
  const auto& thrown = notes.last_exception;
  if (!thrown || thrown->error != error) return fmt::format("the method {} threw: ", method_.name());
  return fmt::format("the {} '{}' threw in {}: ", role(thrown->objective), thrown->objective->name(),
                     thrown->oracles.empty() ? "its linearisation" : to_string(thrown->oracles));
}

}  // namespace bilevel
