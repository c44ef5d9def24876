// sum, dot, squared_norm and log_sum_exp in all their forms against the same thing written term by term.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "bilevel/autodiff.hpp"
#include "bilevel/status.hpp"
#include "taylor.hpp"

namespace {

using bilevel::Index;
using bilevel::make_objective;
using bilevel::Objective;
using bilevel::Random;
using bilevel::Vec;
using bilevel::autodiff::fixed;
using bilevel::testing::random_vec;
using ObjectivePtr = std::shared_ptr<const Objective>;

// All oracles of both agree at a random point. Sums of at most 40 terms in another order: 1e-13 relative.
void expect_same_oracles(const ObjectivePtr& compact, const ObjectivePtr& spelled_out) {
  Random random(7);
  const Vec x = random_vec(compact->dim_x(), random), y = random_vec(compact->dim_y(), random);
  const Vec u = random_vec(compact->dim_x(), random), v = random_vec(compact->dim_y(), random);
  const auto expect_near = [&](const Vec& a, const Vec& b, const char* what) {
    ASSERT_EQ(a.size(), b.size());
    EXPECT_LE((a - b).norm(), 1e-13 * (1 + b.norm())) << compact->name() << ": " << what;
  };
  const auto& a = *compact;
  const auto& b = *spelled_out;
  EXPECT_NEAR(a.value(x, y), b.value(x, y), 1e-13 * (1 + std::abs(b.value(x, y)))) << a.name();
  expect_near(a.grad_x(x, y), b.grad_x(x, y), "grad_x");
  expect_near(a.grad_y(x, y), b.grad_y(x, y), "grad_y");
  expect_near(a.hess_yy(x, y, v), b.hess_yy(x, y, v), "hess_yy");
  expect_near(a.hess_xy(x, y, v), b.hess_xy(x, y, v), "hess_xy");
  expect_near(a.hess_yx(x, y, u), b.hess_yx(x, y, u), "hess_yx");
  const auto fused = a.evaluate(bilevel::Oracle::grad_x | bilevel::Oracle::grad_y, x, y);
  expect_near(*fused.grad_x, b.grad_x(x, y), "grad_x, fused");
  expect_near(*fused.grad_y, b.grad_y(x, y), "grad_y, fused");
}

template <typename Compact, typename Spelled>
void expect_same(const char* name, Compact compact, Spelled spelled, Index m = 17) {
  expect_same_oracles(make_objective(name, m, m, compact), make_objective(name, m, m, spelled));
}

// The reduction feeds a nonlinear function of x and y, so that its own second order and its coupling both count.
const auto wrap = [](auto reduction, auto x, auto y) { return sin(0.3 * reduction) * (1 + x[0] * y[1]); };

TEST(AutodiffReductions, Sum) {
  const auto spelled = [](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < y.size(); ++i) total += y[i];
    return wrap(total, x, y);
  };
  expect_same(
      "sum", [](auto x, auto y) { return wrap(sum(y), x, y); }, spelled);
  expect_same(
      "member", [](auto x, auto y) { return wrap(y.sum(), x, y); }, spelled);
  expect_same(
      "range",
      [](auto x, auto y) {
        decltype(y[0]) total = 0;
        for (const auto entry : y) total += entry;
        return wrap(total, x, y);
      },
      spelled);
}

TEST(AutodiffReductions, DotOfViews) {
  const auto spelled = [](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < y.size(); ++i) total += y[i] * x[i];
    return wrap(total, x, y);
  };
  for (const Index m : {2, 8, 9, 40}) {
    expect_same(
        "dot", [](auto x, auto y) { return wrap(dot(x, y), x, y); }, spelled, m);
    expect_same(
        "member", [](auto x, auto y) { return wrap(y.dot(x), x, y); }, spelled, m);
  }
}

TEST(AutodiffReductions, OverlappingSegments) {
  expect_same(
      "overlap", [](auto x, auto y) { return wrap(dot(y.head(16), y.segment(1, 16)), x, y); },
      [](auto x, auto y) {
        decltype(y[0]) total = 0;
        for (Index i = 0; i < 16; ++i) total += y[i] * y[i + 1];
        return wrap(total, x, y);
      });
}

TEST(AutodiffReductions, SquaredNorm) {
  const auto spelled = [](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < y.size(); ++i) total += y[i] * y[i] + x[i] * x[i];
    return wrap(total, x, y);
  };
  expect_same(
      "squared_norm", [](auto x, auto y) { return wrap(squared_norm(y) + x.squared_norm(), x, y); }, spelled);
  expect_same(
      "computed",
      [](auto x, auto y) {
        std::vector<decltype(y[0])> both(y.begin(), y.end());
        for (const auto entry : x) both.push_back(entry);
        return wrap(squared_norm(both), x, y);
      },
      spelled);
}

TEST(AutodiffReductions, DotWithConstants) {
  std::vector<double> a(17);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = std::cos(static_cast<double>(i));
  const auto spelled = [a](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < y.size(); ++i) total += y[i] * a[static_cast<std::size_t>(i)];
    return wrap(total, x, y);
  };
  expect_same(
      "vector", [a](auto x, auto y) { return wrap(dot(a, y), x, y); }, spelled);
  expect_same(
      "span", [a](auto x, auto y) { return wrap(y.dot(std::span(a)), x, y); }, spelled);
  expect_same(
      "fixed", [a](auto x, auto y) { return wrap(dot(fixed(a), y), x, y); }, spelled);
  expect_same(
      "eigen", [e = Vec(Eigen::Map<const Vec>(a.data(), 17))](auto x, auto y) { return wrap(dot(y, e), x, y); },
      spelled);
  // Data that is gone before the products are asked for.
  expect_same(
      "temporary", [a](auto x, auto y) { return wrap(dot(std::vector<double>(a), y), x, y); }, spelled);
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Rows rows = Rows::Zero(3, 17);
  rows.row(1) = Eigen::Map<const Vec>(a.data(), 17).transpose();
  expect_same(
      "row", [rows](auto x, auto y) { return wrap(dot(fixed(rows.row(1)), y), x, y); }, spelled);
}

TEST(AutodiffReductions, DotOfComputedNumbers) {
  const auto spelled = [](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < 17; ++i) total += sin(y[i]) * x[i] + 0.5 * sin(y[i]) + exp(x[i] * y[i]) * (y[i] + x[i]);
    return wrap(total, x, y);
  };
  expect_same(
      "dot",
      [](auto x, auto y) {
        using Number = decltype(y[0]);
        std::vector<Number> sines, exponentials, sums;
        for (Index i = 0; i < 17; ++i) {
          sines.push_back(sin(y[i]));
          exponentials.push_back(exp(x[i] * y[i]));
          sums.push_back(x[i] + y[i]);
        }
        const std::vector<double> halves(17, 0.5);
        return wrap(dot(sines, x) + dot(halves, sines) + dot(exponentials, sums), x, y);
      },
      spelled);
}

TEST(AutodiffReductions, LogSumExp) {
  const auto spelled = [](auto x, auto y) {
    decltype(y[0]) total = 0, mixed = 0;
    for (Index i = 0; i < y.size(); ++i) total += exp(y[i]);
    for (Index i = 0; i < y.size(); ++i) mixed += exp(x[i] * y[i] - 0.1 * y[0] * y[0]);
    return wrap(log(total) + log(mixed + exp(0.5)), x, y);
  };
  expect_same(
      "log_sum_exp",
      [](auto x, auto y) {
        std::vector<decltype(y[0])> logits;
        for (Index i = 0; i < y.size(); ++i) logits.push_back(x[i] * y[i] - 0.1 * y[0] * y[0]);
        logits.push_back(0.5);
        return wrap(log_sum_exp(y) + log_sum_exp(logits), x, y);
      },
      spelled);
}

TEST(AutodiffReductions, LogSumExpFarOut) {
  const auto f = make_objective("far", 0, 2, [](auto, auto y) { return log_sum_exp(y); });
  const Vec y = Vec::Constant(2, 1000.0);
  EXPECT_NEAR(f->value(Vec(0), y), 1000 + std::log(2.0), 1e-12);  // one rounding of 1000
  EXPECT_EQ(f->grad_y(Vec(0), y)[0], 0.5);
  EXPECT_NEAR(f->hess_yy(Vec(0), y, Vec::Unit(2, 0))[1], -0.25, 1e-16);
}

TEST(AutodiffReductions, LogSumExpDoesNotHideInfinity) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto f = make_objective("infinite", 0, 2, [](auto, auto y) { return log_sum_exp(y); });
  Vec y(2);
  y << infinity, 0;
  EXPECT_EQ(f->value(Vec(0), y), infinity);
  EXPECT_TRUE(std::isnan(f->grad_y(Vec(0), y)[0]));
  y << -infinity, 0;  // an impossible class is no trouble
  EXPECT_EQ(f->value(Vec(0), y), 0);
  EXPECT_EQ(f->grad_y(Vec(0), y), Vec(Vec::Unit(2, 1)));
  y << std::numeric_limits<double>::quiet_NaN(), 0;
  EXPECT_TRUE(std::isnan(f->value(Vec(0), y)));
  EXPECT_TRUE(std::isnan(f->grad_y(Vec(0), y)[1]));
}

TEST(AutodiffReductions, EmptySegmentsAndConstants) {
  const auto f = make_objective("empty", 1, 2, [](auto x, auto y) {
    const std::vector<decltype(y[0])> nothing;
    return sum(y.head(0)) + dot(y.head(0), x.tail(0)) + sum(nothing) + squared_norm(nothing) + 3 * y[0];
  });
  EXPECT_EQ(f->value(Vec::Ones(1), Vec::Ones(2)), 3);
  EXPECT_EQ(f->grad_y(Vec::Ones(1), Vec::Ones(2)), Vec(3 * Vec::Unit(2, 0)));
}

TEST(AutodiffReductions, LengthsMustAgree) {
  const auto f = make_objective("short", 2, 3, [](auto x, auto y) { return dot(x, y); });
  EXPECT_THROW(f->value(Vec::Ones(2), Vec::Ones(3)), bilevel::DimensionMismatch);
  EXPECT_THROW(f->grad_y(Vec::Ones(2), Vec::Ones(3)), bilevel::DimensionMismatch);
  const auto g = make_objective(
      "strided", 0, 2, [a = Eigen::MatrixXd(Eigen::MatrixXd::Ones(2, 2))](auto, auto y) { return dot(a.row(0), y); });
  EXPECT_THROW(g->value(Vec(0), Vec::Ones(2)), bilevel::InvalidInput);
}

TEST(AutodiffReductions, UnusedBranchWithInfiniteSlopeDoesNotSpoilTheRest) {
  // sqrt has infinite slope at 0 but is computed and thrown away.
  const auto f = make_objective("unused", 0, 3, [](auto, auto y) {
    const auto root = sqrt(y[0] + y[1]) * y[2];
    const std::vector roots{sqrt(y[0] + y[1]), sqrt(y[1])};
    return select(y[0] > 0, root + sum(roots), y[0] * y[1] + y[2] * y[2]);
  });
  const Vec y = Vec::Unit(3, 2) * 2;
  EXPECT_EQ(f->grad_y(Vec(0), y), Vec(Vec::Unit(3, 2) * 4));
  Vec expected(3);
  expected << 1, 1, 2;
  EXPECT_EQ(f->hess_yy(Vec(0), y, Vec::Ones(3)), expected);
}

TEST(AutodiffReductions, UsedInfiniteSlopeIsNotHidden) {
  // (sqrt(a + b) c)^2 / 2 at a = b = 0: the adjoint 0 meets the slope infinity.
  const auto f = make_objective("used", 0, 3, [](auto, auto y) { return 0.5 * square(sqrt(y[0] + y[1]) * y[2]); });
  EXPECT_TRUE(std::isnan(f->grad_y(Vec(0), Vec::Unit(3, 2))[0]));
}

}  // namespace
