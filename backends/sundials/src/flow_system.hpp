// The follower's side of the differential equations: oracles called from C, with their exceptions and budgets kept.
#pragma once

#include <exception>
#include <optional>
#include <string>

#include "bilevel/gradient_flow.hpp"
#include "cvodes.hpp"

namespace bilevel::flow {

/// g at a fixed x. Products at the same y share one linearisation.
class FlowSystem {
 public:
  FlowSystem(const Objective& lower, const Vec& x, const GradientFlowOptions& options)
      : lower_(lower), x_(x), options_(options) {}
  FlowSystem(const FlowSystem&) = delete;
  FlowSystem& operator=(const FlowSystem&) = delete;

  const GradientFlowOptions& options() const { return options_; }
  Index dim_x() const { return lower_.dim_x(); }
  Index dim_y() const { return lower_.dim_y(); }
  Accuracy accuracy() const { return {options_.relative_accuracy, options_.absolute_accuracy}; }

  Vec gradient(const Vec& y) const { return lower_.grad_y(x_, y); }
  Vec hess_yy(const Vec& y, const Vec& v) { return at(y).hess_yy(v); }  // H v
  Vec hess_xy(const Vec& y, const Vec& v) { return at(y).hess_xy(v); }  // B v
  Vec hess_yx(const Vec& y, const Vec& u) { return at(y).hess_yx(u); }  // B' u

  /// Runs the body of a C callback: nothing is thrown through C. Returns 0; 1 where `result` is not finite (the
  /// integrator tries a shorter step); -1 after an exception, an interrupt or the last allowed product.
  template <class Body>
  int guarded(Eigen::Map<Vec> result, const Body& body) noexcept {
    try {
      if (out_of_budget()) return -1;
      result = body();
      return result.allFinite() ? 0 : 1;
    } catch (...) {
      error_ = std::current_exception();
      return -1;
    }
  }

  /// Why an integration ended with a negative `code`. Rethrows what an oracle threw.
  Failure why(int code) const;
  bool interrupted() const { return options_.interrupt != nullptr && options_.interrupt->load(); }
  /// Before a further integration on the same system.
  void restart_budget() {
    products_ = 0;
    stopped_.reset();
    error_ = nullptr;
  }

 private:
  const Linearization& at(const Vec& y);
  bool out_of_budget();

  const Objective& lower_;
  Vec x_;
  GradientFlowOptions options_;
  Vec linearized_at_;
  std::optional<Linearization> linearization_;
  Index products_ = 0;
  std::exception_ptr error_;
  std::optional<Failure> stopped_;
};

}  // namespace bilevel::flow
