// Quadratic games: followers of any condition, and Stackelberg oligopolies.
#include "quadratic_game.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "instance.hpp"

namespace bilevel::robust {

QuadraticGame::Coefficients QuadraticGame::extend(const QuadraticCoefficients& given) {
  return {extended(given.yy), extended(given.yx), extended(given.xx), extended(given.x), extended(given.y)};
}

QuadraticGame::QuadraticGame(const Quadratic& upper, const Quadratic& lower)
    : f_(extend(upper.coefficients())), g_(extend(lower.coefficients())) {
  factors_.compute(g_.yy);
  slope_ = -factors_.solve(g_.yx);
}

// Not slope_ x - H^-1 b: where H is nearly flat the two are huge and cancel.
std::optional<RealVec> QuadraticGame::answer(const RealVec& x, const RealVec&) const {
  const RealVec right = -(g_.yx * x + g_.y);
  RealVec y = factors_.solve(right);
  y += factors_.solve(right - g_.yy * y);
  return y;
}

Real QuadraticGame::upper(const RealVec& x, const RealVec& y) const {
  return y.dot(f_.yy * y) / 2 + y.dot(f_.yx * x) + x.dot(f_.xx * x) / 2 + f_.x.dot(x) + f_.y.dot(y);
}

ExactGame::Gradients QuadraticGame::upper_gradients(const RealVec& x, const RealVec& y) const {
  return {f_.xx * x + f_.yx.transpose() * y + f_.x, f_.yy * y + f_.yx * x + f_.y};
}

std::optional<RealVec> QuadraticGame::minimiser() const {
  const RealMat mixed = slope_.transpose() * f_.yx;
  const RealMat hessian = slope_.transpose() * (f_.yy * slope_) + mixed + mixed.transpose() + f_.xx;
  const Eigen::LDLT<RealMat> factors(hessian);
  if (!factors.isPositive()) return std::nullopt;
  const auto gradient = [&](const RealVec& x) {
    const auto [f_x, f_y] = upper_gradients(x, *answer(x, {}));
    return RealVec(f_x + slope_.transpose() * f_y);
  };
  RealVec x = RealVec::Zero(slope_.cols());
  for (int refinement = 0; refinement < 4; ++refinement) x -= factors.solve(gradient(x));
  return x;
}

std::shared_ptr<const ExactGame> quadratic_game(const Objective& upper, const Objective& lower) {
  return std::make_shared<QuadraticGame>(dynamic_cast<const Quadratic&>(upper), dynamic_cast<const Quadratic&>(lower));
}

namespace {

/// Random positive definite matrix with eigenvalues from 1 to 1 / condition.
Eigen::MatrixXd positive_definite(Draw& draw, Index size, double condition) {
  const Eigen::MatrixXd Q = draw.rotation(size);
  return Q * draw.spectrum(size, condition).asDiagonal() * Q.transpose();
}

}  // namespace

Instance quadratic_of_condition(Draw& draw, double condition) {
  const Index n = draw.size(), m = draw.size();
  const Eigen::MatrixXd Q = draw.rotation(m);
  const Vec spectrum = draw.spectrum(m, condition);
  const double size = draw.log_uniform(0.1, 10);
  // The follower's answer Sx + s is H^-(1 - share) of random numbers: of ordinary size (1), or up to the condition's
  // root (1/2) or the condition itself (0) where H is nearly flat.
  const double share = 0.5 * static_cast<double>(draw.between(0, 2));
  const Eigen::MatrixXd power = Q * spectrum.array().pow(share).matrix().asDiagonal() * Q.transpose();
  QuadraticCoefficients lower{.yy = size * (Q * spectrum.asDiagonal() * Q.transpose()),
                              .yx = -size * power * draw.normal(m, n, 1 / std::sqrt(static_cast<double>(n))),
                              .y = -size * power * draw.normal(m)};

  QuadraticCoefficients upper;
  std::string shape = "f convex in (x, y)";
  if (draw.chance(0.3)) {
    shape = "f = |x - a|^2 / 2 + c'y";
    upper = {.xx = Eigen::MatrixXd::Identity(n, n), .x = draw.normal(n), .y = draw.normal(m)};
  } else {
    const Eigen::MatrixXd whole = positive_definite(draw, n + m, draw.log_uniform(1, 100));
    upper = {.yy = whole.bottomRightCorner(m, m),
             .yx = whole.bottomLeftCorner(m, n),
             .xx = whole.topLeftCorner(n, n),
             .x = draw.normal(n),
             .y = draw.normal(m)};
  }
  Instance instance;
  instance.problem = {"",
                      std::make_shared<Quadratic>("f", n, m, upper),
                      std::make_shared<Quadratic>("g", n, m, lower),
                      draw.normal(n),
                      draw.chance(0.5) ? Vec::Zero(m).eval() : draw.normal(m),
                      {}};
  instance.variant = shape + ", condition 1e" + std::to_string(std::lround(std::log10(condition))) +
                     ", answers of H^-" + std::to_string(1 - share).substr(0, 3);
  instance.game = quadratic_game(*instance.problem.upper, *instance.problem.lower);
  // What rounding in g_y alone makes of y.
  instance.answer_tolerance = std::max(1e-6, 100 * std::numeric_limits<double>::epsilon() * condition);
  return instance;
}

Instance quadratic(Draw& draw) { return quadratic_of_condition(draw, draw.log_uniform(1, 1e10)); }

// A firm that moves first sets x, its m competitors then play Cournot: the price is a - b (x + sum y), a unit costs
// c_j (+ d_j y_j / 2). With linear demand their equilibrium minimises one potential g (Monderer and Shapley, 1996).
Instance oligopoly(Draw& draw) {
  const Index m = draw.size();
  const double a = draw.log_uniform(1, 1e4), b = draw.log_uniform(1e-3, 1);
  const bool asymmetric = draw.chance(0.6), bent = draw.chance(0.5);
  const double cheap = draw.uniform(0.1, 0.6) * a;
  Vec cost = Vec::Constant(m, cheap), bend = Vec::Zero(m);
  if (asymmetric) cost += draw.uniform_vector(m, 0, 0.1 * a / static_cast<double>(m));
  if (bent) bend = b * draw.uniform_vector(m, 0, 3);
  const double own_cost = cheap * draw.uniform(0.8, 1), own_bend = bent ? b * draw.uniform(0, 3) : 0;

  const Eigen::MatrixXd ones = Eigen::MatrixXd::Ones(m, m);
  QuadraticCoefficients lower{.yy = b * (ones + Eigen::MatrixXd::Identity(m, m)),
                              .yx = Eigen::MatrixXd::Constant(m, 1, b),
                              .y = (cost.array() - a).matrix()};
  lower.yy.diagonal() += bend;
  const QuadraticCoefficients upper{.yx = Eigen::MatrixXd::Constant(m, 1, b),
                                    .xx = Eigen::MatrixXd::Constant(1, 1, 2 * b + own_bend),
                                    .x = Vec::Constant(1, own_cost - a)};
  Instance instance;
  instance.problem = {"",
                      std::make_shared<Quadratic>("f", 1, m, upper),
                      std::make_shared<Quadratic>("g", 1, m, lower),
                      Vec::Constant(1, draw.chance(0.5) ? 0 : draw.uniform(0, a / b)),
                      Vec::Zero(m),
                      {}};
  instance.variant = std::string(asymmetric ? "costs of each firm" : "one cost") + (bent ? ", rising" : ", constant");
  instance.game = quadratic_game(*instance.problem.upper, *instance.problem.lower);
  return instance;
}

}  // namespace bilevel::robust
