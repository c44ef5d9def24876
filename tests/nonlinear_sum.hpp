// A small nonlinear finite sum: softmax regression whose rows and features the leader weighs, without closed forms.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "bilevel/linear_models.hpp"
#include "bilevel/problem.hpp"
#include "bilevel/random.hpp"

namespace bilevel::testing {

/// inner(x, y) + weight / 2 |x|^2, on batches as on all samples.
class PlusSquareOfLeader final : public Objective {
 public:
  PlusSquareOfLeader(std::shared_ptr<const Objective> inner, double weight)
      : Objective(inner->name(), inner->dim_x(), inner->dim_y(), inner->samples()),
        inner_(std::move(inner)),
        weight_(weight) {}

 private:
  class At final : public Linearization::Implementation {
   public:
    explicit At(Linearization inner) : inner_(std::move(inner)) {}
    Vec hess_yy(const Vec& v) const override { return inner_.hess_yy(v); }
    Vec hess_xy(const Vec& v) const override { return inner_.hess_xy(v); }
    Vec hess_yx(const Vec& u) const override { return inner_.hess_yx(u); }

   private:
    Linearization inner_;
  };

  Evaluation plus_square(Evaluation evaluation, const Vec& x) const {
    if (evaluation.value) *evaluation.value += 0.5 * weight_ * x.squaredNorm();
    if (evaluation.grad_x) *evaluation.grad_x += weight_ * x;
    return evaluation;
  }
  OracleSet do_provides() const override { return inner_->provides(); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    return plus_square(inner_->evaluate(want, x, y, batch), x);
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto inner = inner_->linearize(x, y, batch, also);
    evaluation = plus_square(inner.take_evaluation(), x);
    return std::make_unique<At>(std::move(inner));
  }

  std::shared_ptr<const Objective> inner_;
  double weight_;
};

/// Rows, features, classes and penalties of nonlinear_sum_problem.
struct NonlinearSumShape {
  std::size_t rows = 64, trusted_rows = 32, features = 4, classes = 3;
  double follower_penalty = 0.05;  // c
  double leader_penalty = 0.02;    // r
  std::uint64_t seed = 1;
};

/// Cleaning and tuning at once, in float64: with w_i = sigmoid(x_i) for the N rows and s_q = exp(x_{N+q}) for the d
/// features and the intercept
///     g = 1/N sum_i w_i loss_i(y) + c sum_k s_k y_k^2,   f = 1/M sum_j loss_j(y) + r/2 |x|^2,
/// a quarter of the training labels drawn anew. H is positive definite since the intercepts are penalised; r gives phi
/// a minimiser, which weights alone would look for at infinity.
inline BilevelProblem nonlinear_sum_problem(const NonlinearSumShape& shape = {}) {
  Random random(shape.seed);
  const auto d = static_cast<Index>(shape.features), classes = static_cast<Index>(shape.classes);
  const auto normal = [&](Index rows, Index columns) {
    Eigen::MatrixXd drawn(rows, columns);
    for (double& entry : drawn.reshaped()) entry = random.normal();
    return drawn;
  };
  const Eigen::MatrixXd teacher = normal(classes, d);
  const auto draw = [&](std::size_t rows, double wrong) {
    const Eigen::MatrixXd features = normal(d, static_cast<Index>(rows));
    const Eigen::MatrixXd scores = teacher * features + 0.5 * normal(classes, static_cast<Index>(rows));
    std::vector<std::int32_t> labels(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      Index best = 0;
      scores.col(static_cast<Index>(i)).maxCoeff(&best);
      labels[i] = static_cast<std::int32_t>(random.uniform() < wrong ? random.below(shape.classes) : best);
    }
    const std::span<const double> values(features.data(), static_cast<std::size_t>(features.size()));
    return std::pair(FeatureMatrix::dense(rows, shape.features, values), Targets(std::move(labels)));
  };
  const LinearModelOptions model{.loss = LinearLoss::softmax, .classes = shape.classes, .intercept = true};
  const auto [train, train_labels] = draw(shape.rows, 0.25);
  const auto [trusted, trusted_labels] = draw(shape.trusted_rows, 0);
  const auto g = training_objective(train, train_labels,
                                    {.model = model,
                                     .row_weights = true,
                                     .regularization = shape.follower_penalty,
                                     .penalty_scale = PenaltyScale::per_feature,
                                     .penalize_intercept = true});
  const auto f = validation_objective(trusted, trusted_labels, model, g->dim_x());
  return {"nonlinear sum",
          std::make_shared<PlusSquareOfLeader>(f, shape.leader_penalty),
          g,
          Vec::Zero(g->dim_x()),
          Vec::Zero(g->dim_y()),
          {}};
}

}  // namespace bilevel::testing
