// The same games in other units: x and y by factors from 1e-6 to 1e6 for each entry, f and g by up to 1e8, f and g with
// an added constant.
#include "bilevel/objective.hpp"
#include "instance.hpp"

namespace bilevel::robust {

namespace {

struct Change {
  Vec x, y;  // inner x = x .* outer x
  double factor = 1, shift = 0;
};

/// factor inner(change.x .* x, change.y .* y) + shift.
class Scaled final : public Objective {
 public:
  Scaled(std::shared_ptr<const Objective> inner, Change change)
      : Objective(inner->name(), inner->dim_x(), inner->dim_y()),
        inner_(std::move(inner)),
        change_(std::move(change)) {}

 private:
  class Products final : public Linearization::Implementation {
   public:
    Products(Linearization inner, const Change& change) : inner_(std::move(inner)), change_(change) {}
    Vec hess_yy(const Vec& v) const override { return to_y(inner_.hess_yy(change_.y.cwiseProduct(v))); }
    Vec hess_xy(const Vec& v) const override { return to_x(inner_.hess_xy(change_.y.cwiseProduct(v))); }
    Vec hess_yx(const Vec& u) const override { return to_y(inner_.hess_yx(change_.x.cwiseProduct(u))); }

   private:
    Vec to_x(const Vec& a) const { return change_.factor * change_.x.cwiseProduct(a); }
    Vec to_y(const Vec& a) const { return change_.factor * change_.y.cwiseProduct(a); }

    Linearization inner_;
    const Change& change_;
  };

  Evaluation to_units(Evaluation inner) const {
    if (inner.value) inner.value = change_.factor * *inner.value + change_.shift;
    if (inner.grad_x) inner.grad_x = change_.factor * change_.x.cwiseProduct(*inner.grad_x);
    if (inner.grad_y) inner.grad_y = change_.factor * change_.y.cwiseProduct(*inner.grad_y);
    return inner;
  }
  OracleSet do_provides() const override { return inner_->provides(); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const override {
    return to_units(inner_->evaluate(want, change_.x.cwiseProduct(x), change_.y.cwiseProduct(y)));
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch, OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto inner = inner_->linearize(change_.x.cwiseProduct(x), change_.y.cwiseProduct(y), full, also);
    evaluation = to_units(inner.take_evaluation());
    return std::make_unique<Products>(std::move(inner), change_);
  }

  std::shared_ptr<const Objective> inner_;
  Change change_;
};

Vec draw_units(Draw& draw, Index size) {
  Vec units(size);
  for (auto& unit : units) unit = draw.log_uniform(1e-6, 1e6);
  return units;
}

}  // namespace

Instance scaled(Draw& draw) {
  Instance instance;
  switch (draw.between(0, 2)) {
    case 0: instance = quadratic_of_condition(draw, draw.log_uniform(1, 1e3)); break;
    case 1: instance = log_sum_exp_game(draw); break;
    default: instance = ridge(draw); break;
  }
  auto& problem = instance.problem;
  Units units{.x = draw_units(draw, problem.dim_x()),
              .y = draw_units(draw, problem.dim_y()),
              .f = draw.log_uniform(1e-8, 1e8),
              .g = draw.log_uniform(1e-8, 1e8)};
  if (draw.chance(0.5)) {
    units.shift_f = units.f * draw.uniform(-1e3, 1e3);
    units.shift_g = units.g * draw.uniform(-1e3, 1e3);
  }
  problem.upper = std::make_shared<Scaled>(problem.upper, Change{units.x, units.y, units.f, units.shift_f});
  problem.lower = std::make_shared<Scaled>(problem.lower, Change{units.x, units.y, units.g, units.shift_g});
  problem.x0 = problem.x0.cwiseQuotient(units.x);
  problem.y0 = problem.y0.cwiseQuotient(units.y);
  instance.units = std::move(units);
  return instance;
}

}  // namespace bilevel::robust
