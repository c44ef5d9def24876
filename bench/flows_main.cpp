// Oracle calls of the gradient flow and its derivatives, against condition and accuracy: ./bilevel_flows
#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <Eigen/QR>

#include "bilevel/gradient_flow.hpp"
#include "bilevel/quadratic.hpp"
#include "bilevel/random.hpp"

namespace {

using namespace bilevel;

constexpr Index kFollower = 500, kFlat = 50, kLeader = 5;

Vec normal(Index size, Random& random) {
  Vec v(size);
  for (auto& entry : v) entry = random.normal();
  return v;
}

void measure(double condition, double accuracy) {
  Random random(1);
  Eigen::MatrixXd noise(kFollower, kFollower), M(kFollower, kLeader);
  for (Index j = 0; j < kFollower; ++j) noise.col(j) = normal(kFollower, random);
  for (Index j = 0; j < kLeader; ++j) M.col(j) = normal(kFollower, random);
  const Eigen::MatrixXd basis = noise.householderQr().householderQ();
  Vec curvature = Vec::Zero(kFollower);  // 1 / condition to 1, evenly on a logarithmic scale
  for (Index i = kFlat; i < kFollower; ++i) {
    const double share = static_cast<double>(i - kFlat) / static_cast<double>(kFollower - kFlat - 1);
    curvature[i] = std::pow(condition, share - 1);
  }
  const Eigen::MatrixXd A = basis * curvature.asDiagonal() * basis.transpose();
  const auto g =
      std::make_shared<Quadratic>("quadratic", kLeader, kFollower, QuadraticCoefficients{.yy = A, .yx = A * M});
  const GradientFlow flow(g, {.tolerance = accuracy,
                              .sensitivity_tolerance = accuracy,
                              .relative_accuracy = accuracy,
                              .absolute_accuracy = 0.01 * accuracy});

  const Vec x = normal(kLeader, random), y = normal(kFollower, random);
  const Vec v = normal(kFollower, random), dx = normal(kLeader, random);
  const auto moving = basis.rightCols(kFollower - kFlat);
  const Vec exact = -(moving * (moving.transpose() * (M * dx)));

  const auto products = [](const OracleCounts& counts) {
    return counts[Oracle::hess_yy] + counts[Oracle::hess_xy] + counts[Oracle::hess_yx];
  };
  const auto point = flow.record(x, y);
  const auto recorded = g->counts();
  const auto pulled = point->pull_back(v);
  const auto back = g->counts();
  const auto moved = point->push_forward(dx);
  const auto forward = g->counts();
  if (pulled.status != Status::converged || moved.status != Status::converged) {
    fmt::print("condition {:g}, accuracy {:g}: {} {}\n", condition, accuracy, pulled.message, moved.message);
    return;
  }
  const double scale = norm(exact) * norm(v);
  fmt::print("| {:.0e} | {:.0e} | {} | {} + {} | {} | {} + {} | {:.0e} | {:.0e} |\n", condition, accuracy,
             point->answer().iterations, recorded[Oracle::grad_y], products(recorded), products(back - recorded),
             (forward - back)[Oracle::grad_y], products(forward - back),
             std::abs(dot(pulled.value, dx) - dot(v, exact)) / scale, norm(moved.value - exact) / norm(exact));
}

}  // namespace

int main() {
  fmt::print(
      "| condition | accuracy | steps | record: gradients + products | pull back: products | push forward: "
      "gradients + products | error back | error forward |\n|---|---|---|---|---|---|---|---|\n");
  for (const double condition : {1e1, 1e4}) {
    for (const double accuracy : {1e-6, 1e-9}) measure(condition, accuracy);
  }
}
