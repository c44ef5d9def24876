// Objectives made for testing the mathematics: oracles given as functions (to count, alter and break them), and small
// bilevel problems with answers in closed form.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <Eigen/Cholesky>
#include <Eigen/QR>

#include "bilevel/autodiff.hpp"
#include "bilevel/problem.hpp"
#include "bilevel/quadratic.hpp"
#include "bilevel/random.hpp"

namespace bilevel::testing {

/// Oracles as functions; an empty one is not provided.
struct Oracles {
  std::function<double(const Vec& x, const Vec& y)> value;
  std::function<Vec(const Vec&x, const Vec&y)> grad_x, grad_y;
  std::function<Vec(const Vec&x, const Vec&y, const Vec&direction)> hess_yy, hess_xy, hess_yx;
  double rounding = std::numeric_limits<double>::epsilon();
};

class FunctionObjective final : public Objective {
 public:
  FunctionObjective(std::string name, Index dim_x, Index dim_y, Oracles oracles)
      : Objective(std::move(name), dim_x, dim_y), oracles_(std::move(oracles)) {}

  double rounding() const override { return oracles_.rounding; }

 private:
  class At final : public Linearization::Implementation {
   public:
    At(const Oracles& oracles, Vec x, Vec y) : oracles_(oracles), x_(std::move(x)), y_(std::move(y)) {}
    Vec hess_yy(const Vec& v) const override { return oracles_.hess_yy(x_, y_, v); }
    Vec hess_xy(const Vec& v) const override { return oracles_.hess_xy(x_, y_, v); }
    Vec hess_yx(const Vec& u) const override { return oracles_.hess_yx(x_, y_, u); }

   private:
    const Oracles& oracles_;
    Vec x_, y_;
  };

  OracleSet do_provides() const override {
    OracleSet set;
    if (oracles_.value) set = set | Oracle::value;
    if (oracles_.grad_x) set = set | Oracle::grad_x;
    if (oracles_.grad_y) set = set | Oracle::grad_y;
    if (oracles_.hess_yy) set = set | Oracle::hess_yy;
    if (oracles_.hess_xy) set = set | Oracle::hess_xy;
    if (oracles_.hess_yx) set = set | Oracle::hess_yx;
    return set;
  }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const override {
    Evaluation result;
    if (want.has(Oracle::value)) result.value = oracles_.value(x, y);
    if (want.has(Oracle::grad_x)) result.grad_x = oracles_.grad_x(x, y);
    if (want.has(Oracle::grad_y)) result.grad_y = oracles_.grad_y(x, y);
    return result;
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    evaluation = do_evaluate(also, x, y, batch);
    return std::make_unique<At>(oracles_, x, y);
  }

  Oracles oracles_;
};

/// The oracles of `inner`, to be altered one by one.
inline Oracles oracles_of(std::shared_ptr<const Objective> inner) {
  Oracles oracles;
  oracles.value = [inner](const Vec& x, const Vec& y) { return inner->value(x, y); };
  oracles.grad_x = [inner](const Vec& x, const Vec& y) { return inner->grad_x(x, y); };
  oracles.grad_y = [inner](const Vec& x, const Vec& y) { return inner->grad_y(x, y); };
  oracles.hess_yy = [inner](const Vec& x, const Vec& y, const Vec& v) { return inner->hess_yy(x, y, v); };
  oracles.hess_xy = [inner](const Vec& x, const Vec& y, const Vec& v) { return inner->hess_xy(x, y, v); };
  oracles.hess_yx = [inner](const Vec& x, const Vec& y, const Vec& u) { return inner->hess_yx(x, y, u); };
  oracles.rounding = inner->rounding();
  return oracles;
}

inline std::shared_ptr<const Objective> objective_of(std::string name, Index dim_x, Index dim_y, Oracles oracles) {
  return std::make_shared<FunctionObjective>(std::move(name), dim_x, dim_y, std::move(oracles));
}

inline Vec vec(std::initializer_list<double> entries) {
  Vec v(static_cast<Index>(entries.size()));
  std::copy(entries.begin(), entries.end(), v.data());
  return v;
}

/// Symmetric with the given eigenvalues in a random orthogonal basis.
inline Eigen::MatrixXd with_eigenvalues(const Vec& eigenvalues, Random& random) {
  const Index m = eigenvalues.size();
  Eigen::MatrixXd noise(m, m);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < m; ++j) noise(i, j) = random.normal();
  }
  const Eigen::MatrixXd basis = noise.householderQr().householderQ();
  return basis * eigenvalues.asDiagonal() * basis.transpose();
}

/// n = 3, m = 4:  g = y'Ay/2 + y'Cx + b'y,  f = |y - t|^2/2 + x'Qx/2.  H = A with eigenvalues 0.5 .. 2, so
/// y*(x) = -A^-1 (C x + b), and grad phi(x) = Q x - C' A^-1 (y* - t) is affine in x: solution in closed form.
inline BilevelProblem quadratic_problem(std::uint64_t seed = 1, double follower_condition = 4) {
  constexpr Index n = 3, m = 4;
  Random random(seed);
  const Vec eigenvalues = Vec::LinSpaced(m, 2.0 / follower_condition, 2.0);
  const Eigen::MatrixXd A = with_eigenvalues(eigenvalues, random);
  const Eigen::MatrixXd Q = with_eigenvalues(vec({0.1, 0.5, 1.0}), random);
  Eigen::MatrixXd C(m, n);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) C(i, j) = random.normal();
  }
  Vec b(m), t(m);
  for (Index i = 0; i < m; ++i) b[i] = random.normal();
  for (Index i = 0; i < m; ++i) t[i] = random.normal();

  QuadraticCoefficients lower{.yy = A, .yx = C, .y = b};
  QuadraticCoefficients upper{
      .yy = Eigen::MatrixXd::Identity(m, m), .xx = Q, .y = -t, .constant = 0.5 * t.squaredNorm()};
  const Eigen::MatrixXd M = -A.ldlt().solve(C);  // dy*/dx
  const Vec y_at_0 = -A.ldlt().solve(b);
  KnownSolution known;
  known.x = (Q + M.transpose() * M).ldlt().solve(M.transpose() * (t - y_at_0));
  known.y = M * known.x + y_at_0;
  known.upper = 0.5 * (known.y - t).squaredNorm() + 0.5 * known.x.dot(Q * known.x);
  return {"quadratic",
          std::make_shared<Quadratic>("f", n, m, upper),
          std::make_shared<Quadratic>("g", n, m, lower),
          Vec::Zero(n),
          Vec::Zero(m),
          known};
}

/// n = 2, m = 3, strongly convex follower with curvature between 0.5 and 2.5 that is no quadratic, coupled to x
/// nonlinearly; f depends on both.
inline BilevelProblem nonlinear_problem() {
  auto lower = make_objective("softplus follower", 2, 3, [](auto x, auto y) {
    return 0.3 * square(y[0]) + 0.4 * square(y[1]) + 0.8 * square(y[2]) + softplus(y[0] + y[1] - x[0]) +
           softplus(y[1] - y[2] + x[1]) - sin(x[0]) * y[1] + x[0] * x[1] * y[2];
  });
  auto upper = make_objective("distance", 2, 3, [](auto x, auto y) {
    return 0.5 * (square(y[0] - 0.5) + square(y[1] + 0.5) + square(y[2] - 0.25)) + 0.3 * sin(y[0]) * x[1] +
           0.1 * (square(x[0]) + square(x[1]));
  });
  return {"nonlinear", upper, lower, vec({0.4, -0.3}), vec({0.7, -1.1, 0.6}), {}};
}

/// n = m = 1: g = (y^2 - 1)^2/4 - 0.1 x y has, for |x| < 3.8, two wells near y = +1 and y = -1;
/// f = (y - 2)^2/20 + x^2/2.
inline BilevelProblem two_wells(double y0) {
  auto lower = make_objective("two wells", 1, 1,
                              [](auto x, auto y) { return 0.25 * square(square(y[0]) - 1.0) - 0.1 * x[0] * y[0]; });
  auto upper = make_objective("well distance", 1, 1,
                              [](auto x, auto y) { return 0.05 * square(y[0] - 2.0) + 0.5 * square(x[0]); });
  return {"two wells", upper, lower, vec({0.5}), vec({y0}), {}};
}

}  // namespace bilevel::testing
