// The recurrences of MINRES, for the solvers that minimise a residual over Krylov spaces of a symmetric map.
#pragma once

#include <functional>
#include <utility>

#include "linear/refinement.hpp"

namespace bilevel {

/// Minimum residuals [Paige and Saunders 1975] for M d = r with symmetric M, from d = 0.
class MinimumResidual {
 public:
  using Apply = std::function<Vec(const Vec&)>;
  using NextIteration = std::function<bool()>;

  /// `apply` is v -> M v; `next_iteration` counts one, or returns false where the budget is used up.
  MinimumResidual(Apply apply, NextIteration next_iteration)
      : apply_(std::move(apply)), next_iteration_(std::move(next_iteration)) {}

  /// Stops where |r - M d| <= target, or |M (r - M d)| <= 1e-7 |M| |r - M d|: then what is left is (almost) outside the
  /// range of M, and in finite precision further steps make d run away along the kernel. r is finite and not zero.
  Refinement::Ending run(const Vec& r, Vec& d, double target);

  /// For r with a part outside the range: d with M d = the part inside, from M y = M r and M d = y, which are
  /// consistent. Leaves about a millionth of that part for the next pass.
  Refinement::Ending run_in_range(const Vec& r, Vec& d);

  /// Largest |M v| / |v| met, a lower bound of |M|.
  double size() const { return size_; }

 private:
  Apply apply_;
  NextIteration next_iteration_;
  double size_ = 0;
};

}  // namespace bilevel
