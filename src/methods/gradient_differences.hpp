// Hessian products from differences of gradients, for methods that must do without the real ones.
#pragma once

#include <cmath>
#include <memory>
#include <utility>

#include "bilevel/objective.hpp"

namespace bilevel {

/// Gives `inner`, which must outlive it, the oracle hess_yy: H v ~ (g_y(x, y + t v) - g_y(x, y)) / t, with t such that
/// truncation and rounding errors are alike. Good to half of the digits of g_y: for measuring curvature, not for
/// adjoints.
class GradientDifferences final : public Objective {
 public:
  explicit GradientDifferences(const Objective& inner)
      : Objective(inner.name(), inner.dim_x(), inner.dim_y(), inner.samples()), inner_(inner) {}

  double rounding() const override { return std::sqrt(inner_.rounding()); }

 private:
  class At final : public Linearization::Implementation {
   public:
    At(const Objective& inner, Vec x, Vec y, Batch batch)
        : inner_(inner), x_(std::move(x)), y_(std::move(y)), batch_(batch), gradient_(inner.grad_y(x_, y_, batch)) {}
    Vec hess_yy(const Vec& v) const override {
      const double length = norm(v);
      if (!(length > 0)) return Vec::Zero(v.size());
      const double t = std::sqrt(inner_.rounding()) * (1 + norm(y_)) / length;
      return (inner_.grad_y(x_, y_ + t * v, batch_) - gradient_) / t;
    }
    Vec hess_xy(const Vec&) const override { return {}; }  // not provided, so never called
    Vec hess_yx(const Vec&) const override { return {}; }

   private:
    const Objective& inner_;
    Vec x_, y_;
    Batch batch_;
    Vec gradient_;
  };

  OracleSet do_provides() const override { return Oracle::hess_yy; }
  Evaluation do_evaluate(OracleSet, const Vec&, const Vec&, Batch) const override { return {}; }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch, OracleSet,
                                                                    Evaluation&) const override {
    return std::make_unique<At>(inner_, x, y, batch);
  }

  const Objective& inner_;
};

}  // namespace bilevel
