// A bilevel problem from two lambdas, solved without any tuning: a shop sets its price, customers answer.
#include <iomanip>
#include <iostream>

#include "bilevel/autodiff.hpp"
#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"

int main() {
  // [snippet problem]
  // Leader: a price x. Follower: the amounts y bought of two goods; the profit is on the first.
  auto profit = bilevel::make_objective("lost profit", 1, 2, [](auto x, auto y) { return -x[0] * y[0]; });
  auto wishes = bilevel::make_objective("regret", 1, 2, [](auto x, auto y) {
    return square(y[0] - 4.0) + square(y[1] - 3.0) + y[0] * y[1] + x[0] * y[0];
  });
  const bilevel::BilevelProblem problem{.name = "pricing",
                                        .upper = profit,
                                        .lower = wishes,
                                        .x0 = bilevel::Vec::Ones(1),
                                        .y0 = bilevel::Vec::Zero(2),
                                        .known = {}};
  // [/snippet problem]

  // [snippet solve]
  const auto result = bilevel::run(problem, bilevel::Smbg());
  // [/snippet solve]

  // [snippet result]
  std::cout << to_string(result.status) << ": " << result.message << '\n' << std::fixed << std::setprecision(4);
  std::cout << "price " << result.x[0] << ", bought " << result.y[0] << " and " << result.y[1] << '\n';
  std::cout << "profit " << -result.best_upper << '\n';
  for (const auto& choice : result.choices) {
    std::cout << choice.option << " = " << choice.used << " (" << choice.reason << ")\n";
  }
  // [/snippet result]
  return result.status == bilevel::Status::converged ? 0 : 1;
}
