// Theorems 4.2 and 5.3 of [BLPV25] and Lemma 3.11 on one game: measured rates against predicted ones.
#include "theory/experiments.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace bilevel::theory {
namespace {

TEST(Theory, Lemma311TheRatesAreThoseOfTheSlowestMode) {
  const auto rates = contraction_rates(40, 120);
  // The other mode contracts by 0.2 a step: nothing is left of it at k = 40, and the slopes are exact to the fit.
  EXPECT_NEAR(rates.answer.fitted / rates.answer.predicted, 1, 0.005);
  EXPECT_NEAR(rates.start_derivative.fitted / rates.start_derivative.predicted, 1, 0.005);
  // H varies along the path, so the error lies between rho^k and k rho^k; divided by k it may fall faster than rho^k,
  // by log 3 over these 80 steps at most, an eighth of the slope 0.123.
  const double ratio = rates.gradient_error.fitted / rates.gradient_error.predicted;
  EXPECT_GE(ratio, 0.99);
  EXPECT_LE(ratio, 1 + std::log(3.0) / 80 / -rates.gradient_error.predicted + 0.01);
}

TEST(Theory, Theorem53TheEscapeTimeOfDpbgGrowsLikeRhoToTheMinusK) {
  const auto law = escape_times(20, 50, 10, 0.02, 0.05);
  for (std::size_t i = 1; i < law.values.size(); ++i) EXPECT_GT(law.values[i], law.values[i - 1]);
  // Steps are counted in whole numbers, 40 at the least: an error of 1/40 over 30 inner steps is 0.001 of slope, one
  // percent; the leader's own settling, about 1/a_f = 20 steps at the start, is worth some percent more.
  EXPECT_NEAR(law.fitted / law.predicted, 1, 0.05);
  EXPECT_GT(law.values.front(), 20);
}

TEST(Theory, Theorem42TheBiasOfSmbgFallsLikeRhoToTheK) {
  const auto law = smbg_bias(15, 75, 15, 0.5);
  // At the limit y = y*(x) the path stands still, and the bias is B H^-1 (I - a H)^k f_y: exactly geometric but for the
  // fast mode and curvature of phi over the distance (1e-3): one percent.
  EXPECT_NEAR(law.fitted / law.predicted, 1, 0.01);
  EXPECT_LT(law.values.back(), 1e-5);
}

}  // namespace
}  // namespace bilevel::theory
