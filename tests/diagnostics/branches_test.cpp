#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "bilevel/branches.hpp"
#include "bilevel/status.hpp"
#include "diagnostics/games.hpp"

namespace bilevel {
namespace {

using testing::cube;
using testing::interval;
using testing::v;

// Points of branches are corrected until Newton's steps are below 1e-10 of the box, the next ones at rounding.
constexpr double kOnBranch = 1e-9;
// Events are asked for to 1e-8 of the line.
constexpr double kEvent = 1e-8;

LeaderLine line(double from, double to) { return {v({from}), v({to})}; }

std::string texts(const BranchMap& map) {
  std::string all = map.completeness;
  for (const auto& event : map.events) all += "\n" + event.text;
  for (const auto& branch : map.branches) {
    all += "\n" + std::to_string(branch.id) + ": index " + std::to_string(branch.index) + ", t " +
           std::to_string(branch.begin.t) + " .. " + std::to_string(branch.end.t) + ", points " +
           std::to_string(branch.points.size()) + ", ends " + std::string(to_string(branch.begin.kind)) + ", " +
           std::string(to_string(branch.end.kind));
  }
  return all;
}

/// What must hold of every map: order, constant index, critical points only, and ends that agree with the events.
void expect_sound(const Objective& g, const BranchMap& map) {
  for (std::size_t i = 0; i < map.branches.size(); ++i) {
    const Branch& branch = map.branches[i];
    EXPECT_EQ(branch.id, static_cast<Index>(i));
    if (i > 0) {
      EXPECT_LE(map.branches[i - 1].index, branch.index);
    }
    ASSERT_FALSE(branch.points.empty());
    EXPECT_LE(branch.begin.t, branch.points.front().t);
    EXPECT_GE(branch.end.t, branch.points.back().t);
    for (std::size_t k = 0; k < branch.points.size(); ++k) {
      const auto& point = branch.points[k];
      if (k > 0) {
        EXPECT_LT(branch.points[k - 1].t, point.t);
      }
      EXPECT_LE(norm(g.grad_y(point.x, point.y)), kOnBranch);
      EXPECT_EQ(classify(g, point.x, point.y, 1e-300).index, branch.index) << "t = " << point.t;
    }
  }
  for (std::size_t i = 1; i < map.events.size(); ++i) EXPECT_LE(map.events[i - 1].t, map.events[i].t);
}

TEST(Branches, ThePitchforkOfTheParabolaIsOnePlaceWithFourBranches) {
  const auto g = testing::parabola();
  const auto map = follow_branches(*g, line(-1, 1), interval(-2, 2));
  SCOPED_TRACE(texts(map));
  expect_sound(*g, map);
  ASSERT_EQ(map.branches.size(), 4u);
  EXPECT_TRUE(map.complete);
  ASSERT_EQ(map.events.size(), 1u);
  const auto& event = map.events[0];
  EXPECT_EQ(event.kind, BranchEventKind::pitchfork);
  EXPECT_NEAR(event.x[0], 0, kEvent);
  EXPECT_EQ(event.branches, (std::vector<Index>{0, 1, 2, 3}));
  for (const auto& branch : map.branches) {
    const bool trunk = branch.begin.kind == BranchEventKind::line_end || branch.index == 1;
    for (const auto& point : branch.points) {
      EXPECT_NEAR(std::abs(point.y[0]), trunk ? 0 : std::sqrt(point.x[0]), 1e-7) << "x = " << point.x[0];
    }
  }
  EXPECT_FALSE(map.branches[1].at(0.25).has_value()) << "for x < 0 there is one branch";
}

TEST(Branches, APitchforkIsResolvedWhereverItLiesOnTheLine) {
  const auto g = testing::parabola();
  // Not symmetric, and from and to the singular leader itself.
  for (const auto& [from, to, branches] :
       {std::tuple{-0.37, 1.0, 4u}, {-1.0, 0.0, 1u}, {0.0, 1.0, 3u}, {1.0, -0.6, 4u}}) {
    const auto map = follow_branches(*g, line(from, to), interval(-2, 2.3));
    SCOPED_TRACE(texts(map));
    expect_sound(*g, map);
    EXPECT_EQ(map.branches.size(), branches);
    ASSERT_EQ(map.events.size(), 1u);
    // One branch that ends with the line does not tell what is on the other side.
    EXPECT_EQ(map.events[0].kind, branches > 1 ? BranchEventKind::pitchfork : BranchEventKind::degenerate);
    EXPECT_NEAR(map.events[0].x[0], 0, kEvent);
    EXPECT_EQ(map.events[0].branches.size(), branches);
  }
}

TEST(Branches, SideBranchesEndAtThePitchforkInsteadOfJumpingOnTheTrunk) {
  // g_y = x y - 3 sin(3 y): minimisers +-y with sin(3 y) / y = x / 3 for x < 9, and 0 for x > 9, all of index 0.
  const auto g =
      make_objective("waves", 1, 1, [](auto x, auto y) { return cos(3.0 * y[0]) + 0.5 * x[0] * square(y[0]); });
  for (const double to : {9.6, 10.0, 10.3, 11.7}) {
    const auto map = follow_branches(*g, line(3, to), interval(-2, 2));
    SCOPED_TRACE(texts(map));
    expect_sound(*g, map);
    EXPECT_EQ(map.branches.size(), 4u);
    ASSERT_EQ(map.events.size(), 1u);
    EXPECT_EQ(map.events[0].kind, BranchEventKind::pitchfork);
    EXPECT_NEAR(map.events[0].x[0], 9, 1e-7) << "1e-8 of a line of length 7 to 9";
    EXPECT_EQ(map.events[0].branches.size(), 4u);
  }
}

TEST(Branches, ThePartnerThatNoSearchSawIsFollowedFromTheFold) {
  // y^2 = x + 1/2 with two searches: at x = -1 there is no critical point, and at x = 1 one of the two, sqrt(3/2) and
  // its negative, lies outside the box.
  const auto g = make_objective("fold", 1, 1, [](auto x, auto y) { return pow(y[0], 3) / 3.0 - (x[0] + 0.5) * y[0]; });
  const auto map = follow_branches(*g, line(-1, 1), interval(-0.9, 2), {.samples = 2});
  SCOPED_TRACE(texts(map));
  ASSERT_EQ(map.branches.size(), 2u);
  ASSERT_EQ(map.events.size(), 1u);
  EXPECT_EQ(map.events[0].kind, BranchEventKind::fold);
  EXPECT_NEAR(map.events[0].x[0], -0.5, kEvent);
  EXPECT_EQ(map.events[0].branches.size(), 2u);
}

TEST(Branches, FoldsOfTheTiltedWells) {
  const auto g = testing::tilted_wells();
  const auto map = follow_branches(*g, line(-1, 1), interval(-2, 2));
  SCOPED_TRACE(texts(map));
  expect_sound(*g, map);
  ASSERT_EQ(map.branches.size(), 3u);
  ASSERT_EQ(map.events.size(), 2u);
  const double x = 2 / (3 * std::sqrt(3.0));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& fold = map.events[i];
    EXPECT_EQ(fold.kind, BranchEventKind::fold);
    EXPECT_NEAR(fold.x[0], i == 0 ? -x : x, kEvent);
    EXPECT_NEAR(fold.y[0], (i == 0 ? 1 : -1) / std::sqrt(3.0), kEvent);
    EXPECT_EQ(fold.branches.size(), 2u);
    EXPECT_NEAR(fold.eigenvalue, 0, 1e-7) << "6 y times the error of y";
    EXPECT_LE(fold.accuracy, kEvent);
  }
  EXPECT_TRUE(map.complete);
  // Where both exist, the roots of y^3 - y - x at x = 0.1, by the trigonometric formula of the cubic.
  const double phase = std::acos(1.5 * std::sqrt(3.0) * 0.1) / 3;
  for (const auto& branch : map.branches) {
    const auto y = branch.at(0.55);
    ASSERT_TRUE(y.has_value());
    double nearest = 1;
    for (int k = 0; k < 3; ++k) {
      nearest = std::min(nearest, std::abs((*y)[0] - 2 / std::sqrt(3.0) * std::cos(phase - k * 2 * std::acos(-1) / 3)));
    }
    // Cubic interpolation over steps of 2e-2 with derivatives of a few units.
    EXPECT_LE(nearest, 1e-5);
  }
}

TEST(Branches, ATranscriticalCrossingCutsBothBranches) {
  // g_y = y (y - x) (1 + y^2 / 10): branches 0 and x, which change places at x = 0.
  const auto g = make_objective("crossing", 1, 1, [](auto x, auto y) {
    return pow(y[0], 3) / 3.0 - x[0] * square(y[0]) / 2.0 + pow(y[0], 5) / 50.0 - x[0] * pow(y[0], 4) / 40.0;
  });
  const auto map = follow_branches(*g, line(-0.7, 1), interval(-2, 2));
  SCOPED_TRACE(texts(map));
  expect_sound(*g, map);
  EXPECT_EQ(map.branches.size(), 4u);
  ASSERT_EQ(map.events.size(), 1u);
  EXPECT_EQ(map.events[0].kind, BranchEventKind::pitchfork);
  EXPECT_NEAR(map.events[0].x[0], 0, kEvent);
  EXPECT_EQ(map.events[0].branches.size(), 4u);
}

TEST(Branches, ACuspThatIsRunThroughIsDegenerate) {
  // y = -cbrt(x): H = 3 y^2 vanishes at x = 0, where the branch is vertical.
  const auto g = make_objective("cusp", 1, 1, [](auto x, auto y) { return 0.25 * pow(y[0], 4) + x[0] * y[0]; });
  const auto map = follow_branches(*g, line(-1, 0.8), interval(-2, 2));
  SCOPED_TRACE(texts(map));
  ASSERT_EQ(map.events.size(), 1u);
  EXPECT_EQ(map.events[0].kind, BranchEventKind::degenerate);
  EXPECT_NEAR(map.events[0].x[0], 0, kEvent);
  EXPECT_EQ(map.events[0].branches, (std::vector<Index>{0, 1}));
}

TEST(Branches, ATouchIsDegenerateAndCutsTheBranch) {
  // H = 2 x^2 at y = 0: zero at x = 0 without a change of sign.
  const auto g =
      make_objective("touch", 1, 1, [](auto x, auto y) { return 0.25 * pow(y[0], 4) + square(x[0]) * square(y[0]); });
  // The third line has a search at 0.004, so that a trace starts there, the fourth one at 0.
  for (const double to : {0.87, 0.5, 1.008, 1.0}) {
    const auto map = follow_branches(*g, line(-1, to), interval(-2, 2));
    SCOPED_TRACE(texts(map));
    expect_sound(*g, map);
    ASSERT_EQ(map.branches.size(), 2u);
    ASSERT_EQ(map.events.size(), 1u);
    EXPECT_EQ(map.events[0].kind, BranchEventKind::degenerate);
    EXPECT_NEAR(map.events[0].x[0], 0, 1e-7) << "the least of x^2 is known to the square root of what x^2 is";
  }
}

TEST(Branches, EscapeToInfinityIsNamedWithItsPlace) {
  const auto g = testing::escaping();
  const auto map = follow_branches(*g, line(-1.5, 1.5), interval(-5, 5));
  SCOPED_TRACE(texts(map));
  ASSERT_EQ(map.branches.size(), 1u);
  ASSERT_EQ(map.events.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(map.events[i].kind, BranchEventKind::escape);
    const double x = i == 0 ? -1 : 1;
    EXPECT_NEAR(map.events[i].t, (x + 1.5) / 3, 2 * map.events[i].accuracy);
    EXPECT_LE(map.events[i].accuracy, 1e-4);
  }
  for (const auto& point : map.branches[0].points) {
    EXPECT_NEAR(point.y[0], -point.x[0] / std::sqrt(1 - point.x[0] * point.x[0]), 1e-7);
  }
  EXPECT_FALSE(map.branches[0].at(0.8334).has_value());
}

TEST(Branches, LeavingTheBoxIsNoEscape) {
  for (const bool exponential : {false, true}) {
    const auto g = make_objective("leaving", 1, 1, [exponential](auto x, auto y) {
      return exponential ? 0.5 * square(y[0] - exp(5.0 * x[0])) : 0.5 * square(y[0] - 5.0 * x[0]);
    });
    const auto map = follow_branches(*g, line(-1, 1), interval(-2, 2));
    SCOPED_TRACE(texts(map));
    ASSERT_FALSE(map.events.empty());
    for (const auto& event : map.events) EXPECT_EQ(event.kind, BranchEventKind::leaves_box);
    // The box is widened by 2 on each side: 4 = exp(5 x) or 5 x.
    EXPECT_NEAR(map.events.back().x[0], exponential ? std::log(4.0) / 5 : 0.8, 1e-7);
  }
}

TEST(Branches, ManyBranchesInFourDimensionsAreSortedAndComplete) {
  const auto Q = testing::rotation(3, 5);
  const auto g = testing::rotated_wells(Q, 0.2);
  const auto map = follow_branches(*g, line(-1, 1), cube(3, 2.2), {.samples = 3});
  SCOPED_TRACE(texts(map));
  expect_sound(*g, map);
  EXPECT_EQ(map.branches.size(), 27u);
  EXPECT_TRUE(map.events.empty());
  EXPECT_TRUE(map.complete);
  for (const auto& branch : map.branches) {
    const auto start = branch.at(0), end = branch.at(1);
    ASSERT_TRUE(start && end);
    // z = Q (y - 0.2 x) stays: y moves by 0.4 in every entry.
    EXPECT_LE((*end - *start - Vec::Constant(3, 0.4)).norm(), kOnBranch);
  }
}

TEST(Branches, TheSlopeIsTheImplicitFunctionsAndValuesAreThoseOfThePoint) {
  const auto g = testing::tilted_wells(0.1);
  const auto f = make_objective("f", 1, 1, [](auto x, auto y) { return x[0] + y[0]; });
  const auto map = follow_branches(*g, line(-1, 1), interval(-2, 2), {}, f.get());
  ASSERT_EQ(map.branches.size(), 3u) << texts(map);
  for (const auto& branch : map.branches) {
    for (const auto& point : branch.points) {
      const double curvature = 3 * point.y[0] * point.y[0] - 1;
      EXPECT_NEAR(point.slope[0], 0.1 * 2 / curvature, kOnBranch);
      EXPECT_NEAR(point.smallest, curvature, kOnBranch);
      EXPECT_DOUBLE_EQ(point.lower, g->value(point.x, point.y));
      EXPECT_DOUBLE_EQ(point.upper, point.x[0] + point.y[0]);
    }
  }
}

TEST(Branches, FoldsInTenVariables) {
  // A tilted well in the first coordinate of z = Q y, bowls in the others: the folds are those of one variable.
  const Index m = 10;
  const auto Q = testing::rotation(m, 2);
  const auto g = make_objective("well among bowls", 1, m, [Q](auto x, auto y) {
    decltype(y[0] + 0.0) total = 0;
    for (Index i = 0; i < Q.rows(); ++i) {
      decltype(y[0] + 0.0) z = 0;
      for (Index j = 0; j < Q.cols(); ++j) z = z + Q(i, j) * y[j];
      total = total +
              (i == 0 ? 0.25 * square(square(z)) - 0.5 * square(z) - x[0] * z : (0.5 + 0.2 * double(i)) * square(z));
    }
    return total;
  });
  const auto map = follow_branches(*g, line(-0.1, 0.5), cube(m, 2), {.samples = 2, .search = {.starts = 40}});
  SCOPED_TRACE(texts(map));
  expect_sound(*g, map);
  ASSERT_EQ(map.branches.size(), 3u);
  ASSERT_EQ(map.events.size(), 1u);
  EXPECT_EQ(map.events[0].kind, BranchEventKind::fold);
  EXPECT_NEAR(map.events[0].x[0], 2 / (3 * std::sqrt(3.0)), kEvent);
  EXPECT_NEAR((Q * map.events[0].y)[0], -1 / std::sqrt(3.0), kEvent);
}

TEST(Branches, IndicesOfACoerciveFollowerAddUpToOneAtEveryLeader) {
  // Poincare and Hopf: where g grows at infinity, the sum of (-1)^index over its critical points is 1. The waves have
  // slopes of at most 1.2 |w_i| in all, so that every critical point has |y| <= sum |w_i| / 1.2 < 8.
  for (const std::uint64_t seed : {1, 2, 3}) {
    Random random(seed);
    Eigen::MatrixXd W(4, 2);
    Vec phases(4);
    for (Index i = 0; i < 4; ++i) {
      for (Index j = 0; j < 2; ++j) W(i, j) = random.normal();
      phases[i] = 3 * random.normal();
    }
    ASSERT_LT(W.rowwise().norm().sum() / 1.2, 8);
    const auto g = make_objective("waves", 1, 2, [W, phases](auto x, auto y) {
      auto total = 0.6 * squared_norm(y);
      for (Index i = 0; i < 4; ++i) total = total + sin(phases[i] * x[0] + W(i, 0) * y[0] + W(i, 1) * y[1]);
      return total;
    });
    const auto map = follow_branches(*g, line(-0.5, 0.5), cube(2, 8), {.samples = 5});
    SCOPED_TRACE(texts(map));
    expect_sound(*g, map);
    EXPECT_TRUE(map.complete);
    for (double t = 0.01; t < 1; t += 0.02) {
      Index sum = 0;
      for (const auto& branch : map.branches) {
        if (branch.at(t)) sum += branch.index % 2 == 0 ? 1 : -1;
      }
      EXPECT_EQ(sum, 1) << "t = " << t;
    }
  }
}

TEST(Branches, ABranchThatMeetsAJumpIsStalledAndNotCalledSingular) {
  // Left of y = 0 the branch is x - 1/2, right of it x; g_y jumps from -2 x + 1 to -4 x at y = 0.
  const auto g = make_objective("jump", 1, 1, [](auto x, auto y) {
    return select(y[0] > 0.0, 2.0 * square(y[0] - x[0]), square(y[0] - x[0]) + y[0]);
  });
  const auto map = follow_branches(*g, line(-1, 1), interval(-2, 2));
  SCOPED_TRACE(texts(map));
  ASSERT_EQ(map.events.size(), 2u);
  for (const auto& event : map.events) EXPECT_EQ(event.kind, BranchEventKind::stalled);
  EXPECT_NEAR(map.events[0].x[0], 0, 1e-6) << "steps end at 1e-10 of the line, bar the last accepted one";
  EXPECT_NEAR(map.events[1].x[0], 0.5, 1e-6);
}

TEST(Branches, ANonIsolatedSetIsReportedAndNotFollowed) {
  const auto map = follow_branches(*testing::circle(), line(-1, 1), cube(2, 2), {.samples = 3});
  SCOPED_TRACE(texts(map));
  ASSERT_EQ(map.branches.size(), 1u) << "the maximiser at 0";
  ASSERT_EQ(map.events.size(), 1u);
  EXPECT_EQ(map.events[0].kind, BranchEventKind::degenerate);
  EXPECT_NE(map.events[0].text.find("at 3 of 3 searches"), std::string::npos);
  EXPECT_FALSE(map.complete);
}

TEST(Branches, MisuseIsNamed) {
  const auto g = testing::parabola();
  EXPECT_THROW(follow_branches(*g, {v({0, 0}), v({1})}, interval(-1, 1)), DimensionMismatch);
  EXPECT_THROW(follow_branches(*g, line(0, std::nan("")), interval(-1, 1)), InvalidInput);
  EXPECT_THROW(follow_branches(*g, line(0, 1), cube(2, 1)), DimensionMismatch);
  EXPECT_THROW(follow_branches(*g, line(0, 1), interval(-1, 1), {.samples = 1}), InvalidOption);
  EXPECT_THROW(follow_branches(*g, line(0, 1), interval(-1, 1), {.first_step = 0.5}), InvalidOption);
  EXPECT_THROW(follow_branches(*g, line(0, 1), interval(-1, 1), {.smallest_step = 0}), InvalidOption);
}

}  // namespace
}  // namespace bilevel
