// An objective written by hand: all its oracles, checked before use.
//
// Ridge regression with a learned penalty: the leader x in R is the logarithm of the penalty weight, the follower y in
// R^m the coefficients.
//     g(x, y) = |A y - b|^2 / (2 N) + exp(x) |y|^2 / 2        on training rows
//     f(y)    = |C y - d|^2 / (2 M)                           on validation rows
#include <cmath>
#include <iostream>
#include <memory>
#include <utility>

#include "bilevel/check.hpp"
#include "bilevel/random.hpp"
#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"

namespace {

using bilevel::Index;
using bilevel::Oracle;
using bilevel::Vec;

// [snippet objective]
class Ridge final : public bilevel::Objective {
 public:
  /// With `penalized` false the penalty is left out: the validation loss, which x enters only through y.
  Ridge(std::string name, Eigen::MatrixXd rows, Vec targets, bool penalized)
      : Objective(std::move(name), 1, rows.cols()),
        A_(std::move(rows)),
        b_(std::move(targets)),
        penalized_(penalized) {}

 private:
  bilevel::OracleSet do_provides() const override { return bilevel::OracleSet::all(); }

  bilevel::Evaluation do_evaluate(bilevel::OracleSet want, const Vec& x, const Vec& y, bilevel::Batch) const override {
    const Vec residual = A_ * y - b_;
    const double share = 1.0 / static_cast<double>(A_.rows());
    bilevel::Evaluation result;  // only what was asked for is filled
    if (want.has(Oracle::value))
      result.value = 0.5 * share * residual.squaredNorm() + 0.5 * weight(x) * y.squaredNorm();
    if (want.has(Oracle::grad_x)) result.grad_x = Vec::Constant(1, 0.5 * weight(x) * y.squaredNorm());
    if (want.has(Oracle::grad_y)) result.grad_y = share * (A_.transpose() * residual) + weight(x) * y;
    return result;
  }

  /// H = A'A/N + exp(x) I,  B = exp(x) y': products only, the matrices are never formed.
  class Products final : public bilevel::Linearization::Implementation {
   public:
    Products(const Eigen::MatrixXd& A, double weight, Vec y) : A_(A), weight_(weight), y_(std::move(y)) {}
    Vec hess_yy(const Vec& v) const override {
      return A_.transpose() * (A_ * v) / static_cast<double>(A_.rows()) + weight_ * v;
    }
    Vec hess_xy(const Vec& v) const override { return Vec::Constant(1, weight_ * y_.dot(v)); }
    Vec hess_yx(const Vec& u) const override { return weight_ * u[0] * y_; }

   private:
    const Eigen::MatrixXd& A_;
    double weight_;
    Vec y_;
  };

  std::unique_ptr<const bilevel::Linearization::Implementation> do_linearize(
      const Vec& x, const Vec& y, bilevel::Batch batch, bilevel::OracleSet also,
      bilevel::Evaluation& evaluation) const override {
    evaluation = do_evaluate(also, x, y, batch);
    return std::make_unique<Products>(A_, weight(x), y);
  }

  double weight(const Vec& x) const { return penalized_ ? std::exp(x[0]) : 0.0; }

  Eigen::MatrixXd A_;
  Vec b_;
  bool penalized_;
};
// [/snippet objective]

/// Rows of independent normal features; targets from ten true coefficients and noise.
std::pair<Eigen::MatrixXd, Vec> sample(Index rows, bilevel::Random& random) {
  constexpr Index kFeatures = 10;
  Eigen::MatrixXd features(rows, kFeatures);
  Vec targets(rows);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < kFeatures; ++j) features(i, j) = random.normal();
    targets[i] = features.row(i).sum() / 3 + 2 * random.normal();
  }
  return {features, targets};
}

}  // namespace

int main() {
  bilevel::Random random(1);
  auto [A, b] = sample(30, random);
  auto [C, d] = sample(200, random);
  const auto lower = std::make_shared<Ridge>("training loss", A, b, true);
  const auto upper = std::make_shared<Ridge>("validation loss", C, d, false);

  // [snippet check]
  // At a random point: at 0 a wrong sign may hide.
  const Vec x = Vec::Constant(1, 0.3);
  const Vec y = Vec::NullaryExpr(10, [&] { return random.normal(); });
  for (const auto* objective : {lower.get(), upper.get()}) {
    const auto report = bilevel::check_objective(*objective, x, y);
    if (!report.passed()) {
      std::cout << report.text();
      return 1;
    }
  }
  std::cout << "all oracles agree\n";
  // [/snippet check]

  const bilevel::BilevelProblem problem{"ridge", upper, lower, Vec::Zero(1), Vec::Zero(10), {}};
  const auto result = bilevel::run(problem, bilevel::Smbg());
  std::cout << to_string(result.status) << ": " << result.message << '\n';
  std::cout << "log of the penalty weight = " << result.x[0] << ", validation loss = " << result.best_upper << '\n';
  return result.status == bilevel::Status::converged ? 0 : 1;
}
