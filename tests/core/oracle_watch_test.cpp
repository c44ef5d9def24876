#include "bilevel/oracle_watch.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include "probes.hpp"

namespace bilevel::testing {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// n = 1, m = 3; where y[0] > 1 everything has a NaN or an infinity somewhere.
std::shared_ptr<const Objective> edged() {
  Oracles oracles;
  const auto beyond = [](const Vec& y) { return !(y[0] <= 1); };
  oracles.value = [=](const Vec&, const Vec& y) { return beyond(y) ? kNaN : 0.0; };
  oracles.grad_x = [](const Vec&, const Vec&) { return vec({0}); };
  oracles.grad_y = [=](const Vec&, const Vec& y) { return beyond(y) ? vec({0, -kInfinity, kNaN}) : vec({0, 0, 0}); };
  oracles.hess_yy = [=](const Vec&, const Vec& y, const Vec& v) { return beyond(y) ? Vec(v * kInfinity) : v; };
  oracles.hess_xy = [](const Vec&, const Vec&, const Vec& v) { return Vec(v.head(1)); };
  oracles.hess_yx = [](const Vec&, const Vec&, const Vec& u) { return vec({u[0], 0, 0}); };
  return objective_of("edged", 1, 3, oracles);
}

const Vec kX = vec({0.5}), kInside = vec({0, 0, 0}), kOutside = vec({2, 0, -3});

TEST(OracleWatch, IsToldOfAnswersThatAreNotFinite) {
  const auto phi = edged();
  OracleWatch watch({phi.get()});
  phi->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, kX, kInside);
  phi->linearize(kX, kInside).both(vec({1, 2, 3}));
  EXPECT_EQ(watch.take().nonfinite, 0u);

  phi->grad_y(kX, kOutside);
  phi->value(kX, kOutside);
  auto notes = watch.take();
  EXPECT_EQ(notes.nonfinite, 2u);
  ASSERT_TRUE(notes.first_nonfinite);
  EXPECT_EQ(describe(*notes.first_nonfinite, "lower objective"),
            "grad_y of the lower objective 'edged' has 2 entries that are not finite (the first: entry 2 of 3 is -inf) "
            "where |x_i| <= 0.5 and |y_i| <= 3");
  EXPECT_EQ(watch.take().nonfinite, 0u) << "they were taken";

  phi->value(kX, kOutside);
  EXPECT_EQ(describe(*watch.take().first_nonfinite, "upper objective"),
            "value of the upper objective 'edged' is nan where |x_i| <= 0.5 and |y_i| <= 3");
  phi->linearize(kX, kOutside).hess_yy(vec({0, 1, 0}));
  notes = watch.take();
  EXPECT_EQ(notes.nonfinite, 1u);
  EXPECT_EQ(notes.first_nonfinite->oracle, Oracle::hess_yy);
  EXPECT_EQ(notes.first_nonfinite->first, 0) << "0 times infinity";
  phi->evaluate_along(Oracle::value, kX, kOutside, vec({0, 1, 0}));
  EXPECT_EQ(watch.take().nonfinite, 2u) << "of the value and of H v, not of B v";
}

TEST(OracleWatch, DoesNotBlameAnOracleForItsQuestion) {
  const auto phi = edged();
  OracleWatch watch({phi.get()});
  phi->value(kX, vec({kNaN, 0, 0}));
  phi->grad_y(vec({kInfinity}), kOutside);
  phi->linearize(kX, vec({kNaN, 0, 0})).hess_yy(vec({1, 1, 1}));
  phi->linearize(kX, kInside).hess_yy(vec({kNaN, 1, 1}));
  phi->evaluate_along(Oracle::value, kX, vec({kNaN, 0, 0}), vec({1, 1, 1}));
  EXPECT_EQ(watch.take().nonfinite, 0u);
}

TEST(OracleWatch, IsToldOfExceptions) {
  Oracles oracles;
  oracles.value = [](const Vec&, const Vec&) -> double { throw std::runtime_error("no value today"); };
  const auto phi = objective_of("broken", 1, 1, oracles);
  OracleWatch watch({phi.get()});
  std::exception_ptr caught;
  try {
    phi->value(vec({0}), vec({0}));
  } catch (...) {
    caught = std::current_exception();
  }
  const auto notes = watch.take();
  ASSERT_TRUE(notes.last_exception);
  EXPECT_EQ(notes.last_exception->error, caught) << "the same exception, not another one like it";
  EXPECT_EQ(notes.last_exception->oracles, Oracle::value);
  EXPECT_EQ(notes.last_exception->objective, phi.get());
}

TEST(OracleWatch, SeesAllThreadsAndSeveralMayWatch) {
  const auto phi = edged();
  OracleWatch one({phi.get(), phi.get()});
  {
    OracleWatch other({phi.get()});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int call = 0; call < 100; ++call) phi->value(kX, kOutside);
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(other.take().nonfinite, 400u);
  }
  EXPECT_EQ(one.take().nonfinite, 400u) << "twice given, once told";
  phi->value(kX, kOutside);
  EXPECT_EQ(one.take().nonfinite, 1u);
}

}  // namespace
}  // namespace bilevel::testing
