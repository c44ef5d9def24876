// A right objective with many samples, and a wrapper that makes one of its answers wrong.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bilevel/autodiff.hpp"

namespace bilevel::testing {

inline const Vec kPointX = (Vec(2) << 0.4, -0.3).finished();
inline const Vec kPointY = (Vec(3) << 0.7, -1.1, 0.6).finished();

/// n = 2, m = 3, 7 samples; nonlinear in every pair of variables.
inline std::shared_ptr<const Objective> right_objective() {
  return make_objective("right", 2, 3, 7, [](auto x, auto y, std::size_t i) {
    const double a = 0.3 * static_cast<double>(i) - 1.0;
    return softplus(a * y[0] + x[0] * y[1] - a * a * y[2]) + 0.5 * exp(x[1]) * squared_norm(y) + sin(x[0] * y[2]) +
           0.1 * exp(a * x[0] + x[1]);
  });
}

/// What is done to the right answers; an empty function does nothing.
struct Alterations {
  std::function<void(Evaluation&, const Vec& x, const Vec& y, Batch batch)> evaluation{};  // of evaluate and linearize
  std::function<void(Evaluation&)> evaluate_only{}, linearize_only{};
  std::function<void(Vec&product, const Vec&direction, Batch batch)> hess_yy{}, hess_xy{}, hess_yx{};
  std::function<void(Products&)> both{};
  OracleSet hidden{};
};

class Altered final : public Objective {
 public:
  explicit Altered(Alterations alterations, std::shared_ptr<const Objective> inner = right_objective())
      : Objective("altered", inner->dim_x(), inner->dim_y(), inner->samples()),
        inner_(std::move(inner)),
        alterations_(std::move(alterations)) {}

 private:
  class At final : public Linearization::Implementation {
   public:
    At(Linearization inner, const Alterations& alterations, Batch batch)
        : inner_(std::move(inner)), alterations_(alterations), batch_(batch) {}
    Vec hess_yy(const Vec& v) const override { return altered(inner_.hess_yy(v), v, alterations_.hess_yy); }
    Vec hess_xy(const Vec& v) const override { return altered(inner_.hess_xy(v), v, alterations_.hess_xy); }
    Vec hess_yx(const Vec& u) const override { return altered(inner_.hess_yx(u), u, alterations_.hess_yx); }
    Products both(const Vec& v) const override {
      Products products{hess_yy(v), hess_xy(v)};
      if (alterations_.both) alterations_.both(products);
      return products;
    }

   private:
    Vec altered(Vec product, const Vec& direction,
                const std::function<void(Vec&, const Vec&, Batch)>& alteration) const {
      if (alteration) alteration(product, direction, batch_);
      return product;
    }

    Linearization inner_;
    const Alterations& alterations_;
    Batch batch_;
  };

  OracleSet do_provides() const override { return OracleSet::all().without(alterations_.hidden); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    Evaluation result = inner_->evaluate(want, x, y, batch);
    if (alterations_.evaluation) alterations_.evaluation(result, x, y, batch);
    if (alterations_.evaluate_only) alterations_.evaluate_only(result);
    return result;
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto inner = inner_->linearize(x, y, batch, also);
    evaluation = inner.evaluation();
    if (alterations_.evaluation) alterations_.evaluation(evaluation, x, y, batch);
    if (alterations_.linearize_only) alterations_.linearize_only(evaluation);
    return std::make_unique<At>(std::move(inner), alterations_, batch);
  }

  std::shared_ptr<const Objective> inner_;
  Alterations alterations_;
};

}  // namespace bilevel::testing
