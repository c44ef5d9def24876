// The theorems of [BLPV25] as experiments: what was measured beside what is predicted. The tests run them small and
// assert; the program bilevel_theory runs them long and prints.
#pragma once

#include <cstdint>
#include <vector>

#include "bilevel/problem.hpp"

namespace bilevel::theory {

/// Least squares slope of log(values) over arguments (at least two, values > 0).
double log_slope(const std::vector<double>& arguments, const std::vector<double>& values);

/// n = 1, m = 2: g = (y_1^2 - 1)^2/4 - x y_1/10 + (y_2 - y_1)^2/4 has two wells, H neither constant nor diagonal;
/// f = (y_1 - 2)^2/20 + (y_2 - 3/2)^2/10 + x^2/2. A strong local bilevel solution lies near y = (1, 1).
BilevelProblem coupled_wells();

/// The figures' game [BLPV25, Sec. 5.4]: n = m = 1, g = h(y^2 - 1) with Huber's h, f = (y - target)^2.
BilevelProblem huber_wells(double target);

/// A strong local bilevel solution of coupled_wells, and rho = 1 - a lambda_min(H) there.
struct Solution {
  Vec x, y;
  double rho = 0;
};
Solution coupled_solution(double inner_step_size);

/// An exponential law in k: values are measured at inner_steps, the slopes are those of log values over k.
struct Law {
  std::vector<double> inner_steps, values;
  double fitted = 0, predicted = 0;
};

/// [BLPV25, Lemma 3.11] near the solution: |A^k - y*|, |d_z phi^k| and |d_x phi^k - grad phi| / k, predicted log rho.
struct ContractionRates {
  Law answer, start_derivative, gradient_error;
};
ContractionRates contraction_rates(Index first, Index last);

/// [BLPV25, Lemma 5.1] for a random follower of m variables with a L = 1/2 and 12 inner steps.
struct Diffeomorphism {
  double inverse_error = 0;      // |A^-k(A^k(z)) - z| / (1 + |z|)
  double least_determinant = 0;  // of d_z A^k over the points tried
};
Diffeomorphism diffeomorphism(Index m, int points, std::uint64_t seed);

/// [BLPV25, Prop. 5.2] at a critical point of a random f with n = 2: the Hessian of phi^k, by differences of its
/// gradient, beside V' (Hessian of f) V.
struct Inertia {
  Index negative_upper = 0, negative_phi = 0;  // negative eigenvalues
  double gradient = 0;                         // |grad phi^k| at the corresponding point
  double congruence_error = 0;                 // |Hessian of phi^k - V' F V| / |V' F V|
  double least_eigenvalue = 0;                 // smallest |eigenvalue| of phi^k's Hessian
};
Inertia inertia(Index m, Index inner_steps, std::uint64_t seed);

/// [BLPV25, Thm 5.3] DPBG's steps until it leaves the ball of `radius` round the solution of coupled_wells, from its
/// centre, predicted log(1/rho).
Law escape_times(Index first, Index last, Index stride, double radius, double outer_step_size);

/// [BLPV25, Thm 5.6] second alternative: f's critical point y = 0.1 lies between the wells of the figures' game, y^-k
/// tends to the repulsive y = 0 and |Hessian of phi^k| grows, predicted 2 log(1 + a |lambda_min|).
Law sharpness(Index first, Index last);

/// First alternative: f's critical point y = 2 lies outside the wells, |y^-k| grows, predicted -log(1 - 2 a).
Law run_off(Index first, Index last);

/// [BLPV25, Thm 4.2] distance of SMBG's limit with a fixed a_f to crit phi on coupled_wells, predicted log rho.
Law smbg_bias(Index first, Index last, Index stride, double outer_step_size);

}  // namespace bilevel::theory
