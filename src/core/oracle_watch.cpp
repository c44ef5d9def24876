#include "bilevel/oracle_watch.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

namespace {

/// What stands at the first place that is not finite, and how many such places there are.
NonfiniteAnswer examined(const Objective& objective, Oracle oracle, const Vec& answer) {
  NonfiniteAnswer found{.objective = &objective, .oracle = oracle, .length = answer.size(), .entries = 0};
  for (Index i = 0; i < answer.size(); ++i) {
    if (std::isfinite(answer[i])) continue;
    if (found.entries++ == 0) {
      found.first = i;
      found.number = answer[i];
    }
  }
  return found;
}

double largest_entry(const Vec& v) { return v.size() > 0 ? v.cwiseAbs().maxCoeff() : 0; }

}  // namespace

std::string describe(const NonfiniteAnswer& answer, std::string_view role) {
  std::string text = fmt::format("{} of the {} '{}' ", to_string(answer.oracle), role, answer.objective->name());
  if (answer.oracle == Oracle::value) {
    text += fmt::format("is {}", answer.number);
  } else {
    text += fmt::format("has {} {} not finite (the first: entry {} of {} is {})", answer.entries,
                        answer.entries == 1 ? "entry that is" : "entries that are", answer.first + 1, answer.length,
                        answer.number);
  }
  if (std::isfinite(answer.largest_y)) {
    text += fmt::format(" where |x_i| <= {:.3g} and |y_i| <= {:.3g}", answer.largest_x, answer.largest_y);
  }
  return text;
}

OracleWatch::OracleWatch(std::vector<const Objective*> objectives) : objectives_(std::move(objectives)) {
  std::sort(objectives_.begin(), objectives_.end());
  objectives_.erase(std::unique(objectives_.begin(), objectives_.end()), objectives_.end());
  for (const auto* objective : objectives_) {
    const std::lock_guard lock(objective->watching_);
    objective->watches_.push_back(this);
  }
}

OracleWatch::~OracleWatch() {
  for (const auto* objective : objectives_) {
    const std::lock_guard lock(objective->watching_);
    std::erase(objective->watches_, this);
  }
}

OracleWatch::Notes OracleWatch::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

void OracleWatch::note(const NonfiniteAnswer& answer) {
  const std::lock_guard lock(mutex_);
  ++notes_.nonfinite;
  if (!notes_.first_nonfinite) notes_.first_nonfinite = answer;
}

void OracleWatch::note(const OracleException& exception) {
  const std::lock_guard lock(mutex_);
  notes_.last_exception = exception;
}

void Objective::tell_of_exception(OracleSet which) const {
  const std::lock_guard lock(watching_);
  for (auto* watch : watches_) watch->note(OracleException{this, which, std::current_exception()});
}

void Objective::tell_of_nonfinite(const Evaluation& answers, const Vec& x, const Vec& y) const {
  if (!all_finite(x) || !all_finite(y)) return;  // the oracle is not to blame
  const std::lock_guard lock(watching_);
  const auto tell = [&](Oracle oracle, const Vec& answer) {
    auto found = examined(*this, oracle, answer);
    if (found.entries == 0) return;
    found.largest_x = largest_entry(x);
    found.largest_y = largest_entry(y);
    for (auto* watch : watches_) watch->note(found);
  };
  if (answers.value) tell(Oracle::value, Vec::Constant(1, *answers.value));
  if (answers.grad_x) tell(Oracle::grad_x, *answers.grad_x);
  if (answers.grad_y) tell(Oracle::grad_y, *answers.grad_y);
}

void Objective::tell_of_nonfinite(Oracle oracle, const Vec& answer, const Vec& direction) const {
  if (!all_finite(direction)) return;
  const std::lock_guard lock(watching_);
  const auto found = examined(*this, oracle, answer);
  for (auto* watch : watches_) watch->note(found);
}

}  // namespace bilevel
