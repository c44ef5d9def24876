#include "bilevel/perturbed.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace {

using bilevel::Oracle;
using bilevel::perturbed;
using bilevel::random_perturbation;
using bilevel::Vec;
using bilevel::testing::message_of;
using bilevel::testing::vec;

TEST(Perturbed, SubtractsALinearTermAndKeepsTheRest) {
  const auto inner = bilevel::testing::nonlinear_problem().lower;
  const Vec a = vec({0.1, -0.2, 0.3}), x = vec({0.4, -0.3}), y = vec({0.7, -1.1, 0.6}), v = vec({1, 2, -1});
  const auto g = perturbed(inner, a);
  EXPECT_EQ(g->name(), inner->name() + ", perturbed");
  EXPECT_EQ(g->value(x, y), inner->value(x, y) - a.dot(y));
  EXPECT_EQ(g->grad_x(x, y), inner->grad_x(x, y));
  EXPECT_EQ(g->grad_y(x, y), Vec(inner->grad_y(x, y) - a));
  EXPECT_EQ(g->hess_yy(x, y, v), inner->hess_yy(x, y, v));
  EXPECT_EQ(g->hess_xy(x, y, v), inner->hess_xy(x, y, v));
  EXPECT_EQ(g->hess_yx(x, y, x), inner->hess_yx(x, y, x));
  bilevel::testing::expect_consistent_oracles(*g, x, y, 1);
}

TEST(Perturbed, ProvidesWhatTheInnerObjectiveProvides) {
  bilevel::testing::Oracles oracles;
  oracles.value = [](const Vec&, const Vec& y) { return y[0]; };
  const auto inner = std::make_shared<bilevel::testing::FunctionObjective>("value only", 1, 1, oracles);
  EXPECT_EQ(perturbed(inner, vec({2}))->provides(), inner->provides());
  EXPECT_EQ(perturbed(inner, vec({2}))->value(vec({0}), vec({3})), -3);
}

// g = (y^2 - 1)^2/4 has critical points -1, 0, 1 for x = 0; shifted by a they solve y^3 - y = a.
TEST(Perturbed, MovesCriticalPoints) {
  const auto g = perturbed(bilevel::testing::two_wells(1).lower, vec({0.375}));
  EXPECT_EQ(g->grad_y(vec({0}), vec({-0.5}))[0], 0);  // (-1/2)^3 + 1/2 = 3/8, exact in binary
}

TEST(Perturbed, IsAverageOverTheSameSamples) {
  const auto inner = bilevel::make_objective("samples", 0, 1, 3,
                                             [](auto, auto y, std::size_t i) { return y[0] * static_cast<double>(i); });
  const auto g = perturbed(inner, vec({1}));
  const std::uint32_t one[] = {2};
  EXPECT_EQ(g->samples(), 3u);
  EXPECT_EQ(g->value(Vec(0), vec({5}), bilevel::Batch(one)), 5);
}

TEST(Perturbed, RefusesWhatDoesNotFit) {
  const auto inner = bilevel::testing::two_wells(1).lower;
  EXPECT_EQ(message_of<bilevel::DimensionMismatch>([&] {
              perturbed(inner, vec({1, 2}));
            }),
            "the perturbation of objective 'two wells' needs length 1, but it has length 2");
  EXPECT_EQ(message_of<bilevel::InvalidInput>([&] { perturbed(inner, vec({std::nan("")})); }),
            "the perturbation of objective 'two wells' has NaN or infinite entries");
  EXPECT_EQ(message_of<bilevel::MissingOracle>([&] { perturbed(nullptr, vec({1})); }),
            "perturbed() needs an objective, but there is none");
}

TEST(RandomPerturbation, HasItsSizeAndItsSeed) {
  for (const double size : {0.0, 1e-3, 2.0}) {
    const Vec a = random_perturbation(5, size, 11);
    EXPECT_NEAR(a.norm(), size, 1e-15 * size);  // the rounding of five squares and one root
  }
  EXPECT_EQ(random_perturbation(5, 1, 11), random_perturbation(5, 1, 11));
  EXPECT_NE(random_perturbation(5, 1, 11), random_perturbation(5, 1, 12));
  EXPECT_EQ(random_perturbation(0, 1, 11).size(), 0);
  // Uniform on the sphere: the mean of 2000 draws is within 5 standard deviations, 1/sqrt(3 * 2000) each.
  Vec mean = Vec::Zero(3);
  for (std::uint64_t seed = 0; seed < 2000; ++seed) mean += random_perturbation(3, 1, seed) / 2000;
  EXPECT_LE(mean.cwiseAbs().maxCoeff(), 5 / std::sqrt(3.0 * 2000));
  EXPECT_THROW(random_perturbation(3, -1, 1), bilevel::InvalidInput);
  EXPECT_THROW(random_perturbation(3, std::numeric_limits<double>::infinity(), 1), bilevel::InvalidInput);
  EXPECT_THROW(random_perturbation(-1, 1, 1), bilevel::DimensionMismatch);
}

}  // namespace
