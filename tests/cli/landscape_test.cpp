// The follower's landscape: what its script holds, and that gnuplot draws it.
#include "pictures/landscape.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bilevel/status.hpp"
#include "cli/picture_probes.hpp"
#include "message_of.hpp"
#include "probes.hpp"

namespace bilevel::cli {
namespace {

using bilevel::testing::message_of;
using bilevel::testing::objective_of;
using bilevel::testing::vec;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// g = y^4/4 - y^2/2 - x y/4: critical where x = 4 (y^3 - y), folds at y = -+1/sqrt(3), minimisers where |y| is larger.
struct Tilted {
  static constexpr double kEnd = 2.5;
  std::shared_ptr<const Objective> lower = make_objective("tilted", 1, 1, [](auto x, auto y) {
    return 0.25 * square(square(y[0])) - 0.5 * square(y[0]) - 0.25 * x[0] * y[0];
  });
  std::shared_ptr<const Objective> upper =
      make_objective("distance", 1, 1, [](auto x, auto y) { return square(x[0] - 0.3) + square(y[0] - 0.1); });
  BranchMap map;

  Tilted() {
    map.line = {vec({-kEnd}), vec({kEnd})};
    const double fold = 1 / std::sqrt(3.0);
    const BranchEvent left = event(BranchEventKind::fold, fold), right = event(BranchEventKind::fold, -fold);
    map.branches = {branch(0, 0, fold, 1.6), branch(1, 0, -1.6, -fold), branch(2, 1, fold, -fold)};
    map.branches[0].begin = map.branches[2].begin = left;
    map.branches[1].end = map.branches[2].end = right;
    map.events = {left, right};
  }
  static double leader(double y) { return 4 * (y * y * y - y); }
  static double t_of(double x) { return (x + kEnd) / (2 * kEnd); }
  static BranchEvent event(BranchEventKind kind, double y) {
    BranchEvent event;
    event.kind = kind;
    event.t = t_of(leader(y));
    event.x = vec({leader(y)});
    event.y = vec({y});
    return event;
  }
  static Branch branch(Index id, Index index, double from, double to) {
    Branch branch;
    branch.id = id;
    branch.index = index;
    for (int i = 1; i < 50; ++i) {
      const double y = from + (to - from) * i / 50, x = leader(y);
      if (std::abs(x) <= kEnd) branch.points.push_back({.t = t_of(x), .x = vec({x}), .y = vec({y}), .slope = {}});
    }
    return branch;
  }
  Landscape landscape() const {
    return {.title = "tilted wells",
            .lower = lower.get(),
            .line = map.line,
            .box_y = {vec({-2}), vec({2})},
            .branches = &map,
            .columns = 24,
            .rows = 18};
  }
};

TEST(Landscape, HoldsTheBranchesTheEventsAndTheGrid) {
  const Tilted game;
  const auto script = landscape_script(game.landscape());
  const double steep = 1 / std::sqrt(3.0);
  for (const auto& [name, is_minimiser] : {std::pair{"minimisers", true}, {"others", false}}) {
    const auto rows = rows_of(script, name);
    EXPECT_GT(rows.size(), 40u);
    for (const auto& row : rows) {
      if (row.empty()) continue;  // a branch ends
      // Numbers are written with 9 digits, and x moves by up to 20 times as much as y.
      EXPECT_NEAR(row[0], Tilted::leader(row[1]), 1e-7);
      EXPECT_EQ(std::abs(row[1]) > steep - 1e-8, is_minimiser || std::abs(std::abs(row[1]) - steep) < 1e-8);
    }
  }
  const auto minimisers = rows_of(script, "minimisers");
  EXPECT_EQ(std::count(minimisers.begin(), minimisers.end(), std::vector<double>{}), 2) << "one end for each branch";
  const auto folds = rows_of(script, "folds");
  ASSERT_EQ(folds.size(), 2u);
  EXPECT_NEAR(folds[0][1], steep, 1e-8);
  EXPECT_FALSE(has_block(script, "pitchforks"));

  const auto grid = rows_of(script, "lower_grid");
  ASSERT_EQ(grid.size(), 18u);
  double lowest = 1, highest = 0;
  for (const auto& row : grid) {
    ASSERT_EQ(row.size(), 24u);
    lowest = std::min(lowest, *std::min_element(row.begin(), row.end()));
    highest = std::max(highest, *std::max_element(row.begin(), row.end()));
  }
  EXPECT_EQ(lowest, 0);
  EXPECT_EQ(highest, 1);
  EXPECT_EQ(grid[0][23], 1) << "g is largest where x is high and y low";
  for (const char* expected : {"set title 'tilted wells'", "set xlabel 'leader x'", "set ylabel 'follower y'",
                               "set xrange [-2.5:2.5]", "set yrange [-2:2]", "title 'minimisers'", "title 'fold'"}) {
    EXPECT_NE(script.commands.find(expected), std::string::npos) << expected;
  }
  EXPECT_EQ(script.commands.find("projected"), std::string::npos);
}

TEST(Landscape, IsDrawnWithEverythingOnIt) {
  const Tilted game;
  auto landscape = game.landscape();
  landscape.title = "it's `all` of {it}_1";
  landscape.upper = game.upper.get();
  landscape.direction_field = true;
  landscape.iterates = {{vec({2}), vec({1.5})}, {vec({1}), vec({1.2})}, {vec({0}), vec({1})}};
  landscape.solution = PlottedPoint{vec({0}), vec({1})};
  const auto script = landscape_script(landscape);
  EXPECT_EQ(rows_of(script, "iterates"), (Rows{{2, 1.5}, {1, 1.2}, {0, 1}}));
  EXPECT_EQ(rows_of(script, "moves"), (Rows{{2, 1.5}, {1, 1.5}, {}, {1, 1.2}, {0, 1.2}, {}}))
      << "the leader, at a fixed y";
  EXPECT_EQ(rows_of(script, "answers"), (Rows{{1, 1.5}, {1, 1.2}, {}, {0, 1.2}, {0, 1}, {}}))
      << "the follower, at a fixed x";
  EXPECT_EQ(rows_of(script, "start"), (Rows{{2, 1.5}}));
  EXPECT_EQ(rows_of(script, "end"), (Rows{{0, 1}}));
  EXPECT_EQ(rows_of(script, "solution"), (Rows{{0, 1}}));
  const auto arrows = rows_of(script, "directions");
  EXPECT_GT(arrows.size(), 300u);
  for (const auto& arrow : arrows) {
    const double middle = arrow[1] + arrow[3] / 2;
    const double slope = game.lower->grad_y(vec({arrow[0]}), vec({middle}))[0];
    // Where the slope is rounding, 9 digits do not place the arrow well enough to tell its sign.
    if (std::abs(slope) > 1e-6) {
      EXPECT_LT(arrow[3] * slope, 0) << "arrows point downhill";
    }
  }
  expect_drawn(script);
}

TEST(Landscape, ShowsASliceOfManyVariablesAndSaysSo) {
  const auto lower = make_objective(
      "three", 2, 3, [](auto x, auto y) { return square(y[0] - x[0]) + square(y[1] - x[1]) + square(y[2]); });
  BranchMap map;
  map.line = {vec({0, 0}), vec({2, 4})};
  Branch branch;
  for (const double t : {0.0, 0.5, 1.0}) {
    branch.points.push_back({.t = t, .x = map.line.at(t), .y = vec({2 * t, 4 * t, 0}), .slope = {}});
  }
  map.branches = {branch};
  Landscape landscape{.title = "three",
                      .lower = lower.get(),
                      .line = map.line,
                      .box_y = {vec({-1, -1, -1}), vec({5, 5, 1})},
                      .coordinate = 1,
                      .slice = vec({0.5, 9, -0.25}),
                      .branches = &map,
                      .columns = 12,
                      .rows = 10};
  landscape.iterates = {{vec({2, 1.5}), vec({0, 3, 0})}};  // (2, 1.5) is nearest to t = (2 * 2 + 1.5 * 4) / 20 = 0.5
  const auto script = landscape_script(landscape);
  EXPECT_EQ(rows_of(script, "minimisers"), (Rows{{0, 0}, {0.5, 2}, {1, 4}, {}}));
  EXPECT_EQ(rows_of(script, "iterates"), (Rows{{0.5, 3}}));
  for (const char* expected : {"slice of g at y[1] = 0.5, y[3] = -0.25; points and branches projected",
                               "leader x = (0, 0) at t = 0 to (2, 4) at t = 1", "follower y[2]", "set xrange [0:1]"}) {
    EXPECT_NE(script.commands.find(expected), std::string::npos) << expected;
  }
  expect_drawn(script);
}

TEST(Landscape, MarksAnEscapeAtTheEdge) {
  Tilted game;
  auto escape = Tilted::event(BranchEventKind::escape, 1);
  escape.y = vec({-1e9});
  game.map.events = {escape};
  EXPECT_EQ(rows_of(landscape_script(game.landscape()), "escapes"), (Rows{{0, -2}}));
}

TEST(Landscape, SurvivesValuesThatAreNotFinite) {
  const auto lower = make_objective("root", 1, 1, [](auto x, auto y) { return sqrt(y[0]) + x[0]; });
  Landscape landscape{.title = "root",
                      .lower = lower.get(),
                      .upper = lower.get(),
                      .line = {vec({0}), vec({1})},
                      .box_y = {vec({-1}), vec({1})},
                      .columns = 6,
                      .rows = 4};
  auto script = landscape_script(landscape);
  const auto grid = rows_of(script, "lower_grid");
  EXPECT_TRUE(std::isnan(grid[0][0]));
  EXPECT_EQ(grid[3][5], 1);
  EXPECT_NE(script.commands.find("hatched: g is not finite"), std::string::npos);
  expect_drawn(script);
  landscape.box_y = {vec({-2}), vec({-1})};  // nothing is finite any more
  script = landscape_script(landscape);
  EXPECT_FALSE(has_block(script, "lower_grid"));
  expect_drawn(script);
}

TEST(Landscape, SurvivesPointsThatAreNotFinite) {
  const auto lower = make_objective("nowhere", 1, 1, [](auto x, auto y) { return sqrt(-1.0 - square(x[0] * y[0])); });
  BranchMap map;
  map.line = {vec({0}), vec({1})};
  Branch branch;
  branch.points = {{.t = 0, .x = vec({0}), .y = vec({kNaN}), .slope = {}}};
  map.branches = {branch};
  map.events = {Tilted::event(BranchEventKind::escape, kNaN)};
  Landscape landscape{.title = "nowhere",
                      .lower = lower.get(),
                      .line = map.line,
                      .box_y = {vec({-1}), vec({1})},
                      .branches = &map,
                      .columns = 6,
                      .rows = 4};
  landscape.iterates = {{vec({kNaN}), vec({kNaN})}};
  landscape.solution = landscape.iterates[0];
  expect_drawn(landscape_script(landscape));
}

TEST(Landscape, ThinsALongPath) {
  const Tilted game;
  auto landscape = game.landscape();
  for (int i = 0; i <= 5000; ++i) landscape.iterates.push_back({vec({i / 5000.0}), vec({1})});
  const auto script = landscape_script(landscape);
  EXPECT_EQ(rows_of(script, "iterates").size(), 1667u) << "each third of 5001";
  EXPECT_EQ(rows_of(script, "end"), (Rows{{1, 1}}));
}

TEST(Landscape, RefusesWhatCannotBeDrawn) {
  const Tilted game;
  const auto refused = [&](auto change) {
    auto landscape = game.landscape();
    change(landscape);
    return message_of<Error>([&] { landscape_script(landscape); });
  };
  EXPECT_EQ(refused([](Landscape& l) { l.lower = nullptr; }), "a landscape needs the follower's objective");
  EXPECT_EQ(refused([](Landscape& l) { l.line.to = l.line.from; }),
            "the landscape's line of leaders needs two finite ends that differ");
  EXPECT_EQ(refused([](Landscape& l) { l.line.to = vec({kNaN}); }),
            "the landscape's line of leaders needs two finite ends that differ");
  EXPECT_EQ(refused([](Landscape& l) { l.coordinate = 1; }),
            "the landscape's follower coordinate is 1, but must be from 0 to 0");
  EXPECT_EQ(refused([](Landscape& l) { l.box_y.high = l.box_y.low; }),
            "the landscape's box of y goes from -2 to -2 in coordinate 1, which has no width to draw");
  EXPECT_EQ(refused([](Landscape& l) {
              l.line = {vec({1}), vec({1 + 1e-12})};
            }),
            "the landscape's leaders go from 1 to 1.000000000001, which has no width to draw");
  EXPECT_EQ(refused([](Landscape& l) { l.rows = 1; }),
            "the landscape has 24 columns and 1 rows, but needs at least 2 of each");
  EXPECT_EQ(refused([](Landscape& l) {
              l.iterates = {{vec({1}), vec({1, 2})}};
            }),
            "an iterate of the landscape has 1 leader and 2 follower variables, but needs 1 and 1");
  bilevel::testing::Oracles slopes;
  slopes.grad_y = [](const Vec&, const Vec& y) { return y; };
  const auto valueless = objective_of("mute", 1, 1, slopes);
  EXPECT_EQ(refused([&](Landscape& l) { l.lower = valueless.get(); }),
            "the landscape needs value of the lower objective 'mute', which lacks it");
}

}  // namespace
}  // namespace bilevel::cli
