// The answers of an objective's calls in one form, to compare them.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "bilevel/objective.hpp"

namespace bilevel {

/// Several answers of one call, a value as a vector of length 1; an oracle that was not filled is absent.
using Answers = std::map<Oracle, Vec>;

inline Answers answers_of(const Evaluation& evaluation) {
  Answers answers;
  if (evaluation.value) answers[Oracle::value] = Vec::Constant(1, *evaluation.value);
  if (evaluation.grad_x) answers[Oracle::grad_x] = *evaluation.grad_x;
  if (evaluation.grad_y) answers[Oracle::grad_y] = *evaluation.grad_y;
  return answers;
}

/// |a - b| over the greatest of |a|, |b| and `scale`; infinite if they have different lengths.
inline double relative_error(const Vec& a, const Vec& b, double scale) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  const double difference = norm(a - b);
  return difference == 0 ? 0 : difference / std::max({norm(a), norm(b), scale});
}

/// The greater one, where a NaN counts as greater than every number.
inline double worse(double a, double b) { return a <= b || std::isnan(b) ? b : a; }

}  // namespace bilevel
