// Prints what the theorems of [BLPV25] predict beside what was measured. Under a minute: bilevel_theory
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>

#include "theory/experiments.hpp"

namespace {

using namespace bilevel::theory;
using bilevel::Index;

void print_law(const std::string& name, const Law& law) {
  fmt::print(
      "{:<58}  k {:>3.0f} .. {:>3.0f}  values {:>9.3g} .. {:>9.3g}  slope {:>8.5f}  predicted {:>8.5f}  ratio {:.4f}\n",
      name, law.inner_steps.front(), law.inner_steps.back(), law.values.front(), law.values.back(), law.fitted,
      law.predicted, law.fitted / law.predicted);
}

void print_diffeomorphisms() {
  fmt::print("\nLemma 5.1: A^12 with a L = 1/2 is a diffeomorphism, 200 random points each\n");
  for (Index m = 1; m <= 6; ++m) {
    const auto found = diffeomorphism(m, 200, static_cast<std::uint64_t>(m));
    fmt::print("  m = {}: inverse reproduces z to {:.1e}, least determinant of d_z A^12 {:.2e}\n", m,
               found.inverse_error, found.least_determinant);
  }
}

void print_inertia() {
  fmt::print("\nProposition 5.2: Hessians at corresponding critical points of f and phi^5, 50 random games each\n");
  for (Index m = 1; m <= 6; ++m) {
    int equal = 0;
    double gradient = 0, error = 0, least = 1e300;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      const auto found = inertia(m, 5, 100 * static_cast<std::uint64_t>(m) + seed);
      equal += found.negative_upper == found.negative_phi;
      gradient = std::max(gradient, found.gradient);
      error = std::max(error, found.congruence_error);
      least = std::min(least, found.least_eigenvalue);
    }
    fmt::print(
        "  m = {}: equal inertia {} of 50, |grad phi^5| <= {:.1e}, |Hessian - V'FV| <= {:.1e} |V'FV|, least "
        "|eigenvalue| {:.1e}\n",
        m, equal, gradient, error, least);
  }
}

}  // namespace

int main() {
  try {
    const auto rates = contraction_rates(40, 160);
    print_law("Lemma 3.11: |A^k - y*|", rates.answer);
    print_law("Lemma 3.11: |d_z phi^k|", rates.start_derivative);
    print_law("Lemma 3.11: |d_x phi^k - grad phi| / k", rates.gradient_error);
    print_law("Theorem 4.2: |limit of SMBG - crit phi|, a_f = 0.2", smbg_bias(10, 150, 5, 0.2));
    print_law("Theorem 5.3: DPBG's steps inside a ball of 0.02, a_f = 0.2", escape_times(20, 85, 5, 0.02, 0.2));
    print_law("Theorem 5.6: |Hessian of phi^k| at y^-k, inner critical", sharpness(20, 80));
    print_law("Theorem 5.6: |y^-k|, outer critical point", run_off(3, 80));
    print_diffeomorphisms();
    print_inertia();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_theory: {}\n", error.what());
    return 1;
  }
}
