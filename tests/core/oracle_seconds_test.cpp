// Time inside oracles: short calls are sampled, and neither long calls nor a change of pace are missed.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "probes.hpp"

namespace bilevel::testing {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

TEST(OracleSeconds, ACallThatBecomesLongIsNoticedWithinSixteen) {
  bool slow = false;
  Oracles oracles;
  oracles.value = [&](const Vec&, const Vec&) {
    if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return 0.0;
  };
  const auto objective = objective_of("moody", 1, 1, oracles);
  const Vec x = vec({0}), y = vec({0});
  for (int i = 0; i < 1000; ++i) objective->value(x, y);
  const double before = objective->counts().seconds;
  slow = true;
  const double start = now();
  for (int i = 0; i < 60; ++i) objective->value(x, y);
  const double wall = now() - start;
  const double seconds = objective->counts().seconds - before;
  EXPECT_GE(seconds, 45e-3) << "at least 45 of 60 calls of a millisecond are timed, each at its own length";
  EXPECT_LE(seconds, wall + 15 * 2e-6) << "and 15 may be charged two microseconds";
  EXPECT_EQ(objective->counts()[Oracle::value], 1060u);
}

TEST(OracleSeconds, LikeCallsOnlyStandForEachOther) {
  // A value for the price of nothing between gradients that take a millisecond each: all gradients are timed.
  Oracles oracles;
  oracles.value = [](const Vec&, const Vec&) { return 0.0; };
  oracles.grad_y = [](const Vec&, const Vec&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return vec({0});
  };
  const auto objective = objective_of("mixed", 1, 1, oracles);
  const Vec x = vec({0}), y = vec({0});
  for (int i = 0; i < 20; ++i) {
    objective->value(x, y);
    objective->grad_y(x, y);
  }
  EXPECT_GE(objective->counts().seconds, 20e-3);
}

TEST(OracleSeconds, CountsStayExactOnSeveralThreads) {
  auto objective = make_objective(
      "mean", 1, 1, 3, [](auto x, auto y, std::size_t i) { return square(y[0] - x[0]) * static_cast<double>(i + 1); });
  constexpr std::uint64_t kThreads = 4, kCalls = 2000;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const Vec x = vec({1}), y = vec({2});
      for (std::uint64_t i = 0; i < kCalls; ++i) objective->linearize(x, y, full, Oracle::grad_y).both(y);
    });
  }
  for (auto& thread : threads) thread.join();
  const auto counts = objective->counts();
  for (const auto oracle : {Oracle::grad_y, Oracle::hess_yy, Oracle::hess_xy}) {
    EXPECT_EQ(counts[oracle], kThreads * kCalls);
    EXPECT_EQ(counts.samples[static_cast<std::size_t>(oracle)], 3 * kThreads * kCalls);
  }
  EXPECT_GT(counts.seconds, 0);
}

}  // namespace
}  // namespace bilevel::testing
