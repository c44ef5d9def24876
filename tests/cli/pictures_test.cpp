// The pictures of phi^k and of runs: what their scripts hold, and that gnuplot draws them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bilevel/status.hpp"
#include "cli/picture_probes.hpp"
#include "message_of.hpp"
#include "pictures/run_picture.hpp"
#include "pictures/value_picture.hpp"
#include "probes.hpp"

namespace bilevel::cli {
namespace {

using bilevel::testing::message_of;
using bilevel::testing::vec;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

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
  for (const Index steps : {0, 9, 100}) {
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
  for (const char* expected : {"stopped, it’s enough; best f = 1.8 at iteration 12", "1 number not finite",
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
