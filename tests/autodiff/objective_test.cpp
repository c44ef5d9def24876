// make_objective as an Objective: closed forms, samples, threads, misuse.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bilevel/autodiff.hpp"
#include "bilevel/status.hpp"
#include "taylor.hpp"

namespace {

using bilevel::Batch;
using bilevel::Index;
using bilevel::make_objective;
using bilevel::Oracle;
using bilevel::Random;
using bilevel::Vec;
using bilevel::testing::expect_consistent_oracles;
using bilevel::testing::random_vec;

const auto rosenbrock = [](auto, auto y) {
  decltype(y[0]) total = 0;
  for (Index i = 0; i + 1 < y.size(); ++i) total += 100 * square(y[i + 1] - square(y[i])) + square(1 - y[i]);
  return total;
};

TEST(AutodiffObjective, RosenbrockGradientAndHessianProduct) {
  constexpr Index m = 50;
  const auto f = make_objective("rosenbrock", 0, m, rosenbrock);
  Random random(1);
  const Vec y = random_vec(m, random), v = random_vec(m, random);
  Vec gradient = Vec::Zero(m), product = Vec::Zero(m);
  for (Index i = 0; i + 1 < m; ++i) {
    const double r = y[i + 1] - y[i] * y[i];
    gradient[i] += -400 * r * y[i] - 2 * (1 - y[i]);
    gradient[i + 1] += 200 * r;
    product[i] += (1200 * y[i] * y[i] - 400 * y[i + 1] + 2) * v[i] - 400 * y[i] * v[i + 1];
    product[i + 1] += -400 * y[i] * v[i] + 200 * v[i + 1];
  }
  // About ten roundings an entry, with cancellation between terms of similar size.
  EXPECT_LE((f->grad_y(Vec(0), y) - gradient).norm(), 1e-14 * gradient.norm());
  EXPECT_LE((f->hess_yy(Vec(0), y, v) - product).norm(), 1e-14 * product.norm());
  EXPECT_EQ(f->grad_x(Vec(0), y).size(), 0);
  EXPECT_EQ(f->hess_xy(Vec(0), y, v).size(), 0);
}

const auto coupled = [](auto x, auto y) {
  decltype(y[0]) total = 0;
  for (Index i = 0; i < y.size(); ++i) total += square(y[i] - sin(x[i]));
  return total + exp(dot(x, y) / 10);
};

TEST(AutodiffObjective, NonlinearCouplingInClosedForm) {
  constexpr Index m = 6;
  const auto g = make_objective("coupled", m, m, coupled);
  Random random(2);
  const Vec x = random_vec(m, random), y = random_vec(m, random), u = random_vec(m, random), v = random_vec(m, random);
  const double e = std::exp(x.dot(y) / 10);
  const Vec residual = y - Vec(x.array().sin()), cosine = x.array().cos();
  const Vec grad_x = (-2 * residual.array() * cosine.array()).matrix() + e / 10 * y;
  const Vec grad_y = 2 * residual + e / 10 * x;
  const Vec hess_yy = 2 * v + e / 100 * x.dot(v) * x;
  const Vec hess_xy = (-2 * cosine.array() * v.array()).matrix() + e / 10 * v + e / 100 * x.dot(v) * y;
  const Vec hess_yx = (-2 * cosine.array() * u.array()).matrix() + e / 10 * u + e / 100 * y.dot(u) * x;
  const auto expect_near = [](const Vec& a, const Vec& b) { EXPECT_LE((a - b).norm(), 1e-14 * (1 + b.norm())); };
  EXPECT_NEAR(g->value(x, y), residual.squaredNorm() + e, 1e-14 * (1 + e));
  expect_near(g->grad_x(x, y), grad_x);
  expect_near(g->grad_y(x, y), grad_y);
  expect_near(g->hess_yy(x, y, v), hess_yy);
  expect_near(g->hess_xy(x, y, v), hess_xy);
  expect_near(g->hess_yx(x, y, u), hess_yx);
  expect_consistent_oracles(*g, x, y, 3);
}

TEST(AutodiffObjective, LinearizedProductsEqualFreshOnesAndRepeat) {
  constexpr Index m = 6;
  const auto g = make_objective("coupled", m, m, coupled);
  Random random(4);
  const Vec x = random_vec(m, random), y = random_vec(m, random);
  const auto here = g->linearize(x, y, bilevel::full, Oracle::value);
  const auto elsewhere = g->linearize(y, x);  // another point recorded in between must not disturb the first
  for (int repeat = 0; repeat < 3; ++repeat) {
    const Vec v = random_vec(m, random), u = random_vec(m, random);
    EXPECT_EQ(here.hess_yy(v), g->hess_yy(x, y, v));
    EXPECT_EQ(here.hess_xy(v), g->hess_xy(x, y, v));
    EXPECT_EQ(here.hess_yx(u), g->hess_yx(x, y, u));
    EXPECT_EQ(here.both(v).hess_yy, here.hess_yy(v));
    EXPECT_EQ(here.both(v).hess_xy, here.hess_xy(v));
    EXPECT_EQ(elsewhere.hess_yy(v), g->hess_yy(y, x, v));
  }
}

// Regularised logistic regression, one sample a call.
auto logistic(std::size_t samples, Index m) {
  Random random(5);
  std::vector<double> features(samples * static_cast<std::size_t>(m)), labels(samples);
  for (auto& entry : features) entry = random.normal();
  for (auto& label : labels) label = random.uniform() < 0.5 ? -1 : 1;
  return make_objective("logistic", 1, m, samples, [features, labels, m](auto x, auto y, std::size_t i) {
    const auto row = bilevel::autodiff::fixed(features.data() + i * static_cast<std::size_t>(m), m);
    return softplus(-labels[i] * dot(row, y)) + exp(x[0]) * squared_norm(y) / static_cast<double>(i + 1);
  });
}

TEST(AutodiffObjective, SamplesAverage) {
  constexpr std::size_t n = 12;
  const auto f = logistic(n, 4);
  Random random(6);
  const Vec x = random_vec(1, random), y = random_vec(4, random), v = random_vec(4, random);
  Vec gradient = Vec::Zero(4), product = Vec::Zero(4), mixed = Vec::Zero(1);
  double value = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::array<std::uint32_t, 1> only{i};
    const Batch batch(only);
    value += f->value(x, y, batch) / n;
    gradient += f->grad_y(x, y, batch) / n;
    product += f->hess_yy(x, y, v, batch) / n;
    mixed += f->hess_xy(x, y, v, batch) / n;
  }
  // Averages of 12 numbers of size 1 in two orders.
  EXPECT_NEAR(f->value(x, y), value, 1e-14 * (1 + std::abs(value)));
  EXPECT_LE((f->grad_y(x, y) - gradient).norm(), 1e-14 * (1 + gradient.norm()));
  EXPECT_LE((f->hess_yy(x, y, v) - product).norm(), 1e-14 * (1 + product.norm()));
  EXPECT_LE((f->hess_xy(x, y, v) - mixed).norm(), 1e-14 * (1 + mixed.norm()));
  const std::array<std::uint32_t, 4> some{3, 3, 0, 11};
  expect_consistent_oracles(*f, x, y, 7);
  expect_consistent_oracles(*f, x, y, 8, Batch(some));
}

TEST(AutodiffObjective, BatchesOfAnEpochAverageToTheFullGradient) {
  const auto f = logistic(12, 4);
  Random random(10);
  const Vec x = random_vec(1, random), y = random_vec(4, random), v = random_vec(4, random);
  bilevel::Sampler sampler(12, 3, 11);
  Vec gradient = Vec::Zero(4), product = Vec::Zero(4);
  for (int k = 0; k < 4; ++k) {
    const Batch batch = sampler.next();
    const auto at = f->linearize(x, y, batch, Oracle::grad_y);
    gradient += *at.evaluation().grad_y / 4;
    product += at.hess_yy(v) / 4;
  }
  // Averages of 12 numbers of size 1 in two orders.
  EXPECT_LE((f->grad_y(x, y) - gradient).norm(), 1e-14 * (1 + gradient.norm()));
  EXPECT_LE((f->hess_yy(x, y, v) - product).norm(), 1e-14 * (1 + product.norm()));
}

TEST(AutodiffObjective, ConstantsHaveZeroDerivatives) {
  for (const auto& f : {make_objective("double", 2, 3, [](auto, auto) { return 4.5; }),
                        make_objective("integer", 2, 3, [](auto, auto) { return 4; }),
                        make_objective("folded", 2, 3, [](auto x, auto) { return 0 * value_of(x[0]) + 4.0; })}) {
    const Vec x = Vec::Ones(2), y = Vec::Ones(3);
    EXPECT_EQ(f->value(x, y), f->name() == "double" ? 4.5 : 4.0);
    EXPECT_EQ(f->grad_x(x, y), Vec(Vec::Zero(2)));
    EXPECT_EQ(f->grad_y(x, y), Vec(Vec::Zero(3)));
    EXPECT_EQ(f->hess_yy(x, y, y), Vec(Vec::Zero(3)));
    EXPECT_EQ(f->hess_xy(x, y, y), Vec(Vec::Zero(2)));
    EXPECT_EQ(f->hess_yx(x, y, x), Vec(Vec::Zero(3)));
  }
}

TEST(AutodiffObjective, LinearFunctionsNeedNoNode) {
  const auto f = make_objective("linear", 0, 2, [](auto, auto y) { return 3 * y[1] - 1; });
  EXPECT_EQ(f->grad_y(Vec(0), Vec::Ones(2)), Vec(3 * Vec::Unit(2, 1)));
  EXPECT_EQ(f->hess_yy(Vec(0), Vec::Ones(2), Vec::Ones(2)), Vec(Vec::Zero(2)));
}

TEST(AutodiffObjective, TwoThreadsGiveTheSequentialAnswer) {
  constexpr Index m = 20;
  const auto f = make_objective("coupled", m, m, coupled);
  const auto work = [&](std::uint64_t seed) {
    Random random(seed);
    Vec total = Vec::Zero(m);
    for (int repeat = 0; repeat < 300; ++repeat) {
      const Vec x = random_vec(m, random, 0.5), y = random_vec(m, random, 0.5), v = random_vec(m, random);
      total += f->grad_y(x, y) + f->linearize(x, y).both(v).hess_xy;
    }
    return total;
  };
  const Vec first = work(1), second = work(2);
  Vec first_again, second_again;
  std::thread one([&] { first_again = work(1); });
  std::thread two([&] { second_again = work(2); });
  one.join();
  two.join();
  EXPECT_EQ(first, first_again);
  EXPECT_EQ(second, second_again);
}

TEST(AutodiffObjective, LinearizationOutlivesTheThreadThatMadeIt) {
  const auto f = logistic(10, 12);
  Random random(9);
  const Vec x = random_vec(1, random), y = random_vec(12, random), v = random_vec(12, random);
  std::optional<bilevel::Linearization> here;
  std::thread([&] { here.emplace(f->linearize(x, y)); }).join();
  EXPECT_EQ(here->hess_yy(v), f->hess_yy(x, y, v));
}

template <typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const bilevel::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(AutodiffObjective, IndexOutOfRangeNamesIndexAndSize) {
  const auto f = make_objective("mistake", 2, 3, [](auto x, auto y) { return y[0] + x[5]; });
  const Vec leader = Vec::Ones(2), follower = Vec::Ones(3);
  EXPECT_THROW(f->value(leader, follower), bilevel::DimensionMismatch);
  EXPECT_THROW(f->linearize(leader, follower), bilevel::DimensionMismatch);
  const auto message = message_of([&] { f->grad_y(leader, follower); });
  EXPECT_NE(message.find("mistake"), std::string::npos) << message;
  EXPECT_NE(message.find("x[5]"), std::string::npos) << message;
  EXPECT_NE(message.find("2 entries"), std::string::npos) << message;
  const auto negative = make_objective("negative", 0, 3, [](auto, auto y) { return y[-1]; });
  EXPECT_THROW(negative->value(Vec(0), follower), bilevel::DimensionMismatch);
  const auto segment = make_objective("segment", 0, 3, [](auto, auto y) { return sum(y.segment(1, 3)); });
  EXPECT_THROW(segment->value(Vec(0), follower), bilevel::DimensionMismatch);
  const auto tail = make_objective("tail", 0, 3, [](auto, auto y) { return sum(y.tail(4)); });
  EXPECT_THROW(tail->value(Vec(0), follower), bilevel::DimensionMismatch);
}

TEST(AutodiffObjective, AnExceptionInTheLambdaLeavesNoTrace) {
  const auto f = make_objective("throws", 0, 2, [](auto, auto y) {
    const auto total = exp(y[0] * y[1]) + sum(y);
    if (y[0] < 0) throw std::runtime_error("user");
    return total;
  });
  const Vec good = Vec::Ones(2), bad = -good;
  const Vec before = f->grad_y(Vec(0), good);
  EXPECT_THROW(f->grad_y(Vec(0), bad), std::runtime_error);
  EXPECT_THROW(f->linearize(Vec(0), bad), std::runtime_error);
  EXPECT_EQ(f->grad_y(Vec(0), good), before);
}

TEST(AutodiffObjective, NestedDerivativesAreRefusedNestedValuesAllowed) {
  const auto inner = make_objective("inner", 0, 1, [](auto, auto y) { return y[0] * y[0]; });
  const auto values = make_objective(
      "outer", 0, 1, [inner](auto, auto y) { return y[0] * inner->value(Vec(0), Vec::Constant(1, 3.0)); });
  EXPECT_EQ(values->grad_y(Vec(0), Vec::Ones(1))[0], 9);
  const auto derivatives =
      make_objective("outer", 0, 1, [inner](auto, auto y) { return y[0] * inner->grad_y(Vec(0), Vec::Ones(1))[0]; });
  const auto message = message_of([&] { derivatives->grad_y(Vec(0), Vec::Ones(1)); });
  EXPECT_NE(message.find("'inner'"), std::string::npos) << message;
  EXPECT_NE(message.find("'outer'"), std::string::npos) << message;
}

TEST(AutodiffObjective, NumbersOfTheLambdaAreRefusedOnAnotherThread) {
  const auto f = make_objective("threads", 0, 2, [](auto, auto y) {
    decltype(y[0]) result = 0;
    std::string message;
    std::thread([&] { message = message_of([&] { result = y[0] * y[1]; }); }).join();
    if (message != "no error") throw bilevel::Error(message);
    return result;
  });
  EXPECT_EQ(f->value(Vec(0), Vec::Ones(2)), 1);
  EXPECT_NE(message_of([&] { f->grad_y(Vec(0), Vec::Ones(2)); }).find("another thread"), std::string::npos);
}

TEST(AutodiffObjective, LargeTapesGrowAndAreGivenBack) {
  // 10^6 nodes: beyond the first memory and beyond what a thread keeps (48 bytes each at second order; 64 MiB).
  constexpr Index count = 2'000'000;
  const auto f = make_objective("long", 0, 2, [](auto, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < count; ++i) total += y[i % 2];
    return total * y[0];
  });
  const Vec y = Vec::Ones(2);
  Vec expected(2);
  expected << 1.5 * count, 0.5 * count;
  EXPECT_EQ(f->grad_y(Vec(0), y), expected);  // whole numbers: exact
  expected << count, 0.5 * count;
  EXPECT_EQ(f->hess_yy(Vec(0), y, Vec::Unit(2, 0)), expected);
  EXPECT_EQ(f->grad_y(Vec(0), y)[1], 0.5 * count);
}

TEST(AutodiffObjective, LinearizationBytesCountTheTape) {
  const auto f = make_objective("rosenbrock", 0, 50, rosenbrock);
  EXPECT_GE(f->linearization_bytes(), 3u * 48u * 48u);
  EXPECT_LE(f->linearization_bytes(), 5u * 50u * 48u);
  EXPECT_GE(logistic(100, 3)->linearization_bytes(), 10 * logistic(10, 3)->linearization_bytes() / 2);
}

}  // namespace
