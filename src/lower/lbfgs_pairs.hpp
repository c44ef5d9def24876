// The memory of limited-memory BFGS: what the last few steps say about the inverse Hessian.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "bilevel/vec.hpp"

namespace bilevel {

/// The last few pairs (s, d) = (change of the point, change of the gradient) and the inverse Hessian they imply.
class LbfgsPairs {
 public:
  explicit LbfgsPairs(Index memory) : memory_(static_cast<std::size_t>(memory)) {}

  void add(Vec s, Vec d) {
    const double curvature = dot(s, d);
    if (!(curvature > 1e-14 * norm(s) * norm(d))) return;  // keeps the implied Hessian positive definite
    if (pairs_.size() == memory_) pairs_.pop_front();
    pairs_.push_back({std::move(s), std::move(d), 1.0 / curvature});
  }

  /// -H^-1 gradient by the two-loop recursion. Source: Nocedal and Wright, Numerical Optimization, Algorithm 7.4.
  Vec direction(const Vec& gradient) const {
    Vec q = -gradient;
    std::vector<double> alpha(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      alpha[i] = pairs_[i].rho * dot(pairs_[i].s, q);
      q -= alpha[i] * pairs_[i].d;
    }
    if (!pairs_.empty()) {
      const auto& last = pairs_.back();
      q *= 1.0 / (last.rho * dot(last.d, last.d));
    }
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      q += (alpha[i] - pairs_[i].rho * dot(pairs_[i].d, q)) * pairs_[i].s;
    }
    return q;
  }

  bool empty() const { return pairs_.empty(); }
  void clear() { pairs_.clear(); }

 private:
  struct Pair {
    Vec s, d;
    double rho;
  };
  std::size_t memory_;
  std::deque<Pair> pairs_;
};

}  // namespace bilevel
