// Uses the installed optional component: the derivative of a circle's nearest point. Exits with 0 when it is right.
#include <bilevel/autodiff.hpp>
#include <bilevel/gradient_flow.hpp>
#include <cmath>
#include <cstdio>

int main() {
  using bilevel::Vec;
  // Minimisers form a circle of radius x; the flow goes along the ray, so that d phi / dx is the unit vector of y.
  const auto circle = bilevel::make_objective(
      "circle", 1, 2, [](auto x, auto y) { return 0.25 * square(square(y[0]) + square(y[1]) - square(x[0])); });
  const Vec x = Vec::Constant(1, 2.0), y = Vec::Constant(2, 1.0);
  const auto moved = bilevel::GradientFlow(circle).push_forward(x, y, Vec::Ones(1));
  if (moved.status != bilevel::Status::converged || (moved.value - y / y.norm()).norm() > 1e-6) {
    std::printf("wrong: %s\n", moved.message.c_str());
    return 1;
  }
  std::printf("The installed component followed the flow.\n");
  return 0;
}
