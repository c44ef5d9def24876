// TapedObjective: every oracle from one evaluation routine that is generic in the number type.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "bilevel/autodiff/view.hpp"
#include "bilevel/objective.hpp"

namespace bilevel::autodiff {

/// Base of objectives that can be evaluated with Jets: make_objective derives from it, and so can any other source of
/// formulas. Values run at order 0, gradients record a first-order tape (only what is asked for is active), and
/// linearize records a second-order tape once, so that each product is one sweep forward and one back.
///
/// Cost for one sample with k operations: gradient O(k); linearize O(k) time and about 48 k bytes; each product O(k).
/// The tape lies in memory of the calling thread, so calls from several threads do not meet. Derivatives of one taped
/// objective cannot be asked for inside the routine of another while that one is being recorded: it throws Error,
/// because the outer derivative would silently miss the inner one.
class TapedObjective : public Objective {
 protected:
  TapedObjective(std::string name, Index dim_x, Index dim_y, std::size_t samples = 1);

 private:
  /// phi_i(x, y) of sample i.
  virtual Jet<0> phi(const View<Jet<0>>& x, const View<Jet<0>>& y, std::size_t sample) const = 0;
  virtual Jet<1> phi(const View<Jet<1>>& x, const View<Jet<1>>& y, std::size_t sample) const = 0;
  virtual Jet<2> phi(const View<Jet<2>>& x, const View<Jet<2>>& y, std::size_t sample) const = 0;

  OracleSet do_provides() const final { return OracleSet::all(); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const final;
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also, Evaluation& evaluation) const final;
  double average_value(const Vec& x, const Vec& y, Batch batch) const;

  Origin origin_x_, origin_y_;
  mutable std::atomic<std::size_t> bytes_{0};  // linearization_bytes(); 0: not estimated yet

 public:
  /// Estimated from sample 0 recorded at x = 1, y = 1.
  std::size_t linearization_bytes() const final;
};

}  // namespace bilevel::autodiff
