// The three pictures: what their scripts hold, and that gnuplot draws them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "pictures/gnuplot.hpp"
#include "pictures/landscape.hpp"
#include "pictures/run_picture.hpp"
#include "pictures/value_picture.hpp"
#include "probes.hpp"
#include "run_directory/temporary.hpp"

namespace bilevel::cli {
namespace {

using bilevel::testing::content_of;
using bilevel::testing::message_of;
using bilevel::testing::objective_of;
using bilevel::testing::TemporaryDirectory;
using bilevel::testing::vec;
using Rows = std::vector<std::vector<double>>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool has_block(const Script& script, const std::string& name) {
  return std::any_of(script.data.begin(), script.data.end(), [&](const DataBlock& b) { return b.name() == name; });
}

/// The rows of a block; an empty one where a line ends.
Rows rows_of(const Script& script, const std::string& name) {
  Rows rows;
  for (const auto& block : script.data) {
    if (block.name() != name) continue;
    std::istringstream text(block.text());
    for (std::string line; std::getline(text, line);) {
      std::istringstream words(line);
      rows.emplace_back();
      for (std::string word; words >> word;) rows.back().push_back(std::stod(word));
    }
  }
  return rows;
}

void expect_drawn(const Script& script) {
  const TemporaryDirectory temporary;
  draw(script, temporary.path() / "picture.png");
  EXPECT_TRUE(content_of(temporary.path() / "picture.png").starts_with("\x89PNG"));
}

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
      if (std::abs(x) <= kEnd) branch.points.push_back({.t = t_of(x), .x = vec({x}), .y = vec({y})});
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
    branch.points.push_back({.t = t, .x = map.line.at(t), .y = vec({2 * t, 4 * t, 0})});
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
  branch.points = {{.t = 0, .x = vec({0}), .y = vec({kNaN})}};
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

/// The worked example of [BLPV25, sec. 5.4]: g = h(y^2 - 1), f = (y - target)^2, no leader.
struct Huber {
  std::shared_ptr<const Objective> lower =
      make_objective("huber", 1, 1, [](auto x, auto y) { return huber(square(y[0]) - 1.0) + 0.0 * x[0]; });
  std::shared_ptr<const Objective> upper;
  GradientDescentMap map{*lower, 0.2};

  explicit Huber(double target)
      : upper(make_objective("f", 1, 1, [target](auto x, auto y) { return square(y[0] - target) + 0.0 * x[0]; })) {}
  ValuePicture picture() const {
    return {.title = "phi",
            .upper = upper.get(),
            .lower = lower.get(),
            .map = &map,
            .steps = 9,
            .x = vec({0}),
            .low = -2,
            .high = 2};
  }
};

TEST(ValuePicture, ShowsThePlateausAndTheSharpMinimum) {
  const Huber game(0.1);
  auto picture = game.picture();
  picture.steps = 25;  // the minimum is about 1/1.4^25 = 2e-4 wide, a fortieth of the even samples' distance
  const auto curves = rows_of(value_picture_script(picture), "curves");
  double lowest = 1;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const double z = curves[i][0], answer = curves[i][3], value = curves[i][4];
    if (i > 0) {
      EXPECT_GT(z, curves[i - 1][0]);
    }
    // Numbers are written with 9 digits.
    EXPECT_NEAR(curves[i][2], (z - 0.1) * (z - 0.1), 1e-7);
    EXPECT_NEAR(value, (answer - 0.1) * (answer - 0.1), 1e-7);
    if (std::abs(z) > 0.5) {
      EXPECT_NEAR(answer, z > 0 ? 1 : -1, 1e-6) << "about 20 steps of factor 0.2";
    }
    lowest = std::min(lowest, value);
  }
  EXPECT_LT(lowest, 0.01) << "samples are added where A^k jumps";
  EXPECT_LE(curves.size(), 5000u);
}

TEST(ValuePicture, HasTwoPanelsIfThereAreIterations) {
  const Huber game(2);
  auto picture = game.picture();
  const auto alone = value_picture_script(picture);
  EXPECT_EQ(alone.width, 900);
  EXPECT_FALSE(has_block(alone, "along"));
  for (int i = 0; i < 20'000; ++i) picture.iterations.push_back({vec({1}), i == 12'345 ? 7.0 : 1.0});
  picture.iterations.push_back({Vec(), kNaN});
  picture.references = {{1, "f at y = 1"}, {kNaN, "nowhere"}};
  const auto script = value_picture_script(picture);
  const auto along = rows_of(script, "along");
  EXPECT_LT(along.size(), 6000u);
  EXPECT_NE(std::find(along.begin(), along.end(), std::vector<double>{12'345, 7}), along.end()) << "bursts stay";
  EXPECT_NE(script.commands.find("f at y = 1"), std::string::npos);
  EXPECT_EQ(script.commands.find("nowhere"), std::string::npos);
  EXPECT_NE(script.commands.find("φ⁹(z) = f(A⁹(z))"), std::string::npos);
  expect_drawn(script);
}

TEST(ValuePicture, LabelsOfEqualValuesDoNotCoverEachOther) {
  const Huber game(2);
  auto picture = game.picture();
  picture.iterations = {{vec({1}), 1}, {vec({1}), 3}};
  picture.references = {{2, "one"}, {2, "two"}, {2.01, "three"}};
  const auto commands = value_picture_script(picture).commands;
  double last = 0;
  for (const char* label : {"'one'", "'two'", "'three'"}) {
    const auto at = commands.find("graph ", commands.find("graph ", commands.find(label)) + 1);
    ASSERT_NE(at, std::string::npos) << label;
    const double place = std::stod(commands.substr(at + 6));
    EXPECT_GE(place, last + 0.0399) << label << " is nearer than a line's height";
    last = place;
  }
}

TEST(ValuePicture, SurvivesAFollowerThatDiverges) {
  const auto steep = make_objective("steep", 1, 1, [](auto x, auto y) { return square(square(y[0])) + 0.0 * x[0]; });
  const GradientDescentMap map(*steep, 10);
  auto picture = Huber(2).picture();
  picture.lower = picture.upper = steep.get();
  picture.map = &map;
  picture.iterations = {{vec({1}), kNaN}, {vec({kNaN}), kNaN}};
  for (const Index steps : {0, 9, 1000}) {
    picture.steps = steps;
    const auto script = value_picture_script(picture);
    EXPECT_EQ(std::isnan(rows_of(script, "curves")[0][4]), steps > 0);
    if (steps == 9) expect_drawn(script);
  }
}

TEST(ValuePicture, RefusesWhatCannotBeDrawn) {
  const Huber game(2);
  const auto refused = [&](auto change) {
    auto picture = game.picture();
    change(picture);
    return message_of<Error>([&] { value_picture_script(picture); });
  };
  EXPECT_EQ(refused([](ValuePicture& p) { p.map = nullptr; }),
            "a picture of phi^k needs the upper objective, the lower objective and the follower's map");
  EXPECT_EQ(refused([](ValuePicture& p) { p.steps = -1; }), "a picture of phi^k needs k >= 0, not -1");
  EXPECT_EQ(refused([](ValuePicture& p) { p.low = kNaN; }),
            "a picture of phi^k needs a range of z, the lower end first, not nan to 2");
  EXPECT_EQ(refused([](ValuePicture& p) {
              p.z = vec({1, 2});
            }),
            "the picture's z has 2 entries, but there are 1 follower variables");
}

TEST(RunPicture, HoldsTheTrace) {
  RunResult result;
  for (Index i = 1; i <= 12; ++i) {
    TraceRow row;
    row.iteration = i;
    row.report.upper = 3.0 - 0.1 * static_cast<double>(i);
    row.report.hypergradient_norm = i == 5 ? 0 : std::pow(10, -static_cast<double>(i));
    row.report.lower_residual = i == 7 ? kNaN : 1;
    result.trace.push_back(row);
  }
  result.message = "stopped, it's enough";
  result.best_iteration = 12;
  result.best_upper = 1.8;
  const auto script = run_picture_script("run of {it}", result);
  const auto upper = rows_of(script, "upper"), gradient = rows_of(script, "hypergradient");
  ASSERT_EQ(upper.size(), 12u);
  EXPECT_EQ(upper[3], (std::vector<double>{4, 2.6}));
  EXPECT_EQ(gradient[2], (std::vector<double>{3, 1e-3}));
  EXPECT_TRUE(std::isnan(gradient[4][1])) << "a logarithmic axis has no zero";
  EXPECT_EQ(rows_of(script, "upper_best"), (Rows{{12, 1.8}}));
  for (const char* expected : {"stopped, it''s enough; best f = 1.8 at iteration 12", "1 number not finite",
                               "|hypergradient| (zeros not shown)", "run of {it}", "set xlabel 'iteration'"}) {
    EXPECT_NE(script.commands.find(expected), std::string::npos) << expected;
  }
  expect_drawn(script);
}

TEST(RunPicture, IsDrawnWithoutASingleNumber) {
  RunResult result;
  expect_drawn(run_picture_script("", result));
  result.trace.resize(1);
  auto& report = result.trace[0].report;
  report.upper = report.hypergradient_norm = report.lower_residual = kNaN;
  const auto script = run_picture_script("", result);
  EXPECT_TRUE(script.data.empty());
  EXPECT_NE(script.commands.find("(no finite value)"), std::string::npos);
  expect_drawn(script);
}

}  // namespace
}  // namespace bilevel::cli
