#include "bilevel/perturbed.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/random.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

namespace {

// The linear term has no second derivatives: products are the inner objective's, counted there too.
class InnerProducts final : public Linearization::Implementation {
 public:
  explicit InnerProducts(Linearization inner) : inner_(std::move(inner)) {}
  Vec hess_yy(const Vec& v) const override { return inner_.hess_yy(v); }
  Vec hess_xy(const Vec& v) const override { return inner_.hess_xy(v); }
  Vec hess_yx(const Vec& u) const override { return inner_.hess_yx(u); }
  Products both(const Vec& v) const override { return inner_.both(v); }
  const Evaluation& evaluation() const { return inner_.evaluation(); }

 private:
  Linearization inner_;
};

class Perturbed final : public Objective {
 public:
  Perturbed(std::shared_ptr<const Objective> inner, const Vec& a)
      : Objective(inner->name() + ", perturbed", inner->dim_x(), inner->dim_y(), inner->samples()),
        inner_(std::move(inner)),
        a_(a) {}

  double rounding() const override { return inner_->rounding(); }
  std::size_t linearization_bytes() const override { return sizeof(InnerProducts) + inner_->linearization_bytes(); }
  std::vector<Kink> kinks(const Vec& x, const Vec& y) const override { return inner_->kinks(x, y); }
  std::string explain_nonfinite(const Vec& x, const Vec& y) const override { return inner_->explain_nonfinite(x, y); }

 private:
  OracleSet do_provides() const override { return inner_->provides(); }

  Evaluation with_linear_term(Evaluation answers, const Vec& y) const {
    if (answers.value) *answers.value -= dot(a_, y);
    if (answers.grad_y) *answers.grad_y -= a_;
    return answers;
  }

  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    return with_linear_term(inner_->evaluate(want, x, y, batch), y);
  }

  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto products = std::make_unique<InnerProducts>(inner_->linearize(x, y, batch, also));
    evaluation = with_linear_term(products->evaluation(), y);
    return products;
  }

  std::shared_ptr<const Objective> inner_;
  Vec a_;
};

}  // namespace

std::shared_ptr<const Objective> perturbed(std::shared_ptr<const Objective> inner, const Vec& a) {
  if (!inner) throw MissingOracle("perturbed() needs an objective, but there is none");
  if (a.size() != inner->dim_y()) {
    throw DimensionMismatch(fmt::format("the perturbation of objective '{}' needs length {}, but it has length {}",
                                        inner->name(), inner->dim_y(), a.size()));
  }
  if (!all_finite(a)) {
    throw InvalidInput(fmt::format("the perturbation of objective '{}' has NaN or infinite entries", inner->name()));
  }
  return std::make_shared<Perturbed>(std::move(inner), a);
}

Vec random_perturbation(Index dim, double size, std::uint64_t seed) {
  if (dim < 0) throw DimensionMismatch(fmt::format("a perturbation cannot have length {}", dim));
  if (!std::isfinite(size) || size < 0.0) {
    throw InvalidInput(fmt::format("the size of a perturbation must be finite and not negative, but it is {}", size));
  }
  Random random(seed);
  Vec direction(dim);
  double length = 0.0;
  while (dim > 0 && length == 0.0) {  // normal draws are never all zero in practice, but a division by 0 must not be
    for (Index i = 0; i < dim; ++i) direction[i] = random.normal();
    length = norm(direction);
  }
  return dim > 0 ? Vec(direction * (size / length)) : direction;
}

}  // namespace bilevel
