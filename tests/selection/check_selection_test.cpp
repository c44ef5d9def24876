// Right selections pass; every way to be none is caught.
#include "bilevel/check_selection.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "morse_bott_examples.hpp"

namespace bilevel {
namespace {

using testing::vec;

/// Answers what a function says; it has no derivative.
class Answers final : public SelectionMap {
 public:
  using Function = std::function<Vec(const Vec& x, const Vec& y)>;
  Answers(std::shared_ptr<const Objective> lower, Function answer)
      : SelectionMap(std::move(lower)), answer_(std::move(answer)) {}
  SelectionDerivative derivative() const override { return SelectionDerivative::finite_map; }
  std::string describe() const override { return "a function"; }

 private:
  Selection do_select(const Vec& x, const Vec& y) const override {
    Selection answer;
    answer.y = answer_(x, y);
    return answer;
  }
  std::unique_ptr<Point> do_record(const Vec&, const Vec&) const override { return nullptr; }

  Function answer_;
};

Vec descend(const Objective& g, const Vec& x, const Vec& y) { return Lbfgs().solve(g, x, y, {.tolerance = 1e-12}).y; }

/// (y^2 - 1)^2 / 4 - 0.1 x y at x = 0: minima at -1 and 1, a maximum at 0.
struct TwoWells {
  std::shared_ptr<const Objective> g = testing::two_wells(0).lower;
  Vec x = vec({0}), y = vec({0.9});
  SelectionCheckOptions options{.samples = 20, .spread_y = 1};
};

TEST(CheckSelection, PassesSelectionsRunToTolerance) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    const SolverSelection selection(follower.lower, std::make_shared<Lbfgs>(), {.tolerance = 1e-11},
                                    std::make_shared<Minres>());
    const double spread = follower.spread / std::sqrt(static_cast<double>(follower.y.size()));
    SelectionCheckOptions options{.spread_x = 0.1 * spread, .spread_y = spread};
    options.known = {{follower.x, follower.y}};
    const auto report = check_selection(selection, *follower.lower, follower.x, follower.y, options);
    EXPECT_TRUE(report.passed()) << report.text();
    EXPECT_TRUE(report.not_checked.empty()) << report.text();
    EXPECT_EQ(report.criticality.points, 10);
    // The answers, what L-BFGS finds, (x, y) itself and the known pair.
    EXPECT_EQ(report.self_consistency.points, 10 + 10 + 1 + 1);
  }
}

TEST(CheckSelection, CatchesTooFewUnrolledSteps) {
  const auto follower = testing::ring_that_moves();
  const UnrolledSelection selection(follower.lower, std::make_shared<GradientDescentMap>(*follower.lower, 0.1),
                                    {.steps = 5});
  const auto report = check_selection(selection, *follower.lower, follower.x, follower.y, {.spread_y = 0.2});
  EXPECT_FALSE(report.criticality.passed) << report.text();
  // Gradient descent keeps critical points all the same [AM22, sec. 5.1].
  EXPECT_TRUE(report.self_consistency.passed) << report.text();
  EXPECT_NE(report.text().find("not a selection: it lacks criticality"), std::string::npos) << report.text();
}

TEST(CheckSelection, CatchesAJumpToAnotherValley) {
  const TwoWells wells;
  const Answers selection(wells.g, [&](const Vec& x, const Vec& y) { return descend(*wells.g, x, -y); });
  const auto report = check_selection(selection, *wells.g, wells.x, wells.y, wells.options);
  EXPECT_TRUE(report.criticality.passed) << report.text();
  EXPECT_FALSE(report.self_consistency.passed) << report.text();
  EXPECT_NEAR(report.self_consistency.worst, 1, 0.1);  // |1 - (-1)| / (1 + 1), moved a little by x
}

TEST(CheckSelection, CatchesASelectionThatIgnoresTheFollower) {
  // It returns its own answers when they are fed back: only points that it did not choose itself can tell.
  const TwoWells wells;
  const Answers selection(wells.g, [&](const Vec& x, const Vec&) { return descend(*wells.g, x, vec({2})); });
  const auto report = check_selection(selection, *wells.g, wells.x, wells.y, wells.options);
  EXPECT_TRUE(report.criticality.passed) << report.text();
  EXPECT_FALSE(report.self_consistency.passed) << report.text();
  EXPECT_NEAR(report.self_consistency.y[0], -1, 0.1) << "the worst case is in the valley that is ignored";
}

TEST(CheckSelection, CatchesAMoveAlongTheManifold) {
  const auto follower = testing::ring_that_moves();
  const Answers selection(follower.lower, [&](const Vec& x, const Vec& y) -> Vec {
    const Vec centre = vec({x[0], 0.5 * x[0]});
    const Vec arm = descend(*follower.lower, x, y) - centre;
    const double turn = 1e-3;
    return centre +
           vec({std::cos(turn) * arm[0] - std::sin(turn) * arm[1], std::sin(turn) * arm[0] + std::cos(turn) * arm[1]});
  });
  const auto report = check_selection(selection, *follower.lower, follower.x, follower.y, {.spread_y = 0.2});
  EXPECT_TRUE(report.criticality.passed) << report.text();
  EXPECT_FALSE(report.self_consistency.passed) << report.text();
}

TEST(CheckSelection, CatchesASelectionThatLeavesSaddles) {
  // Self-consistency is asked at every critical point, a maximum too; it is a known pair that tells.
  TwoWells wells;
  const Answers selection(wells.g, [&](const Vec& x, const Vec& y) { return descend(*wells.g, x, y.array() + 1e-3); });
  wells.options.known = {{vec({0}), vec({0})}};
  const auto report = check_selection(selection, *wells.g, wells.x, wells.y, wells.options);
  EXPECT_FALSE(report.self_consistency.passed) << report.text();
  EXPECT_EQ(report.self_consistency.y, vec({0}));
}

TEST(CheckSelection, ANumberThatIsNotFiniteFails) {
  const TwoWells wells;
  const Answers selection(wells.g,
                          [](const Vec&, const Vec&) { return vec({std::numeric_limits<double>::quiet_NaN()}); });
  const auto report = check_selection(selection, *wells.g, wells.x, wells.y, wells.options);
  EXPECT_FALSE(report.criticality.passed);
  EXPECT_TRUE(std::isnan(report.criticality.worst));
  EXPECT_FALSE(report.self_consistency.passed);
  ASSERT_EQ(report.not_checked.size(), 1u);
}

TEST(CheckSelection, SameSeedSameReport) {
  const TwoWells wells;
  const Answers selection(wells.g, [&](const Vec& x, const Vec& y) { return descend(*wells.g, x, y); });
  const auto text = [&](std::uint64_t seed) {
    auto options = wells.options;
    options.seed = seed;
    return check_selection(selection, *wells.g, wells.x, wells.y, options).text();
  };
  EXPECT_EQ(text(4), text(4));
  EXPECT_NE(text(4), text(5));
}

TEST(CheckSelection, RefusesMisuseInASentence) {
  const TwoWells wells;
  const Answers keeps(wells.g, [](const Vec&, const Vec& y) { return y; });
  const auto check = [&](const SelectionCheckOptions& options) {
    return check_selection(keeps, *wells.g, wells.x, wells.y, options);
  };
  EXPECT_THROW(check({.samples = 0}), InvalidOption);
  EXPECT_THROW(check({.spread_x = -1}), InvalidOption);
  EXPECT_THROW(check({.spread_y = 0}), InvalidOption);
  EXPECT_THROW(check({.criticality = 1}), InvalidOption);
  EXPECT_THROW(check({.consistency = std::nan("")}), InvalidOption);
  SelectionCheckOptions not_critical;
  not_critical.known = {{vec({0}), vec({0.5})}};
  EXPECT_THROW(check(not_critical), InvalidInput);
  EXPECT_THROW(check_selection(keeps, *wells.g, wells.x, vec({std::nan("")})), InvalidInput);
  EXPECT_THROW(check_selection(keeps, *wells.g, wells.x, vec({1, 2})), DimensionMismatch);
  EXPECT_THROW(check_selection(keeps, *testing::ring_that_deforms(), wells.x, wells.y), DimensionMismatch);
}

}  // namespace
}  // namespace bilevel
