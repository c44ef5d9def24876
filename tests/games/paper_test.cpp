// The worked examples of [BLPV25] from their files: what the paper says of each is counted or measured.
#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/branches.hpp"
#include "bilevel/certificate.hpp"
#include "bilevel/dpbg.hpp"
#include "bilevel/game.hpp"
#include "bilevel/lower.hpp"
#include "bilevel/morse.hpp"
#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"

namespace bilevel::testing {
namespace {

Game example(const std::string& name) { return read_game(std::string(BILEVEL_GAMES) + "/" + name + ".toml"); }

BranchMap branches_of(const Game& game) {
  return follow_branches(*game.problem.lower, {game.box_x.low, game.box_x.high}, game.box_y, {},
                         game.problem.upper.get());
}

MorseReport morse_of(const Game& game) {
  return judge_morse(*game.problem.lower, game.box_x, game.box_y, {}, game.problem.upper.get());
}

Index minimiser_branches(const BranchMap& map) {
  Index count = 0;
  for (const auto& branch : map.branches) count += branch.is_minimiser();
  return count;
}

/// The run that the file's own [solve] asks for.
RunResult run_of(const Game& game) {
  auto settings = game.settings;
  const auto method = settings.at("method");
  StopRule stop{.tolerance = std::stod(settings.at("tolerance")),
                .max_iterations = std::stol(settings.at("max-iterations"))};
  for (const auto* other : {"method", "tolerance", "max-iterations", "picture"}) settings.erase(other);
  return run(game.problem, *make_method(method, settings), stop);
}

TEST(PaperExamples, Figure1StratifiesTheCriticalSet) {
  const auto game = example("figure_1_stratification");
  const auto map = branches_of(game);
  EXPECT_TRUE(map.complete) << map.completeness;
  EXPECT_EQ(map.branches.size(), 3u);
  EXPECT_EQ(minimiser_branches(map), 2);
  EXPECT_TRUE(map.events.empty());
  EXPECT_EQ(morse_of(game).verdict, MorseVerdict::holds_on_the_samples);
}

TEST(PaperExamples, Figure2RestsLongAndNeverSettles) {
  const auto game = example("figure_2_plateaus");
  const auto result = run_of(game);
  EXPECT_EQ(result.status, Status::budget_reached);  // it has not settled
  const auto& state = dynamic_cast<const Dpbg::State&>(*result.state);
  Index at_wells = 0, bursts = 0;
  bool was_low = false;
  for (const auto& row : result.trace) {
    // f at the wells is 0.81 and 1.21; a burst goes below 0.6, towards the sharp minimum f = 0.
    at_wells += std::abs(row.report.upper - 0.81) < 0.05 || std::abs(row.report.upper - 1.21) < 0.05;
    const bool is_low = row.report.upper < 0.6;
    bursts += is_low && !was_low;
    was_low = is_low;
  }
  const auto steps = static_cast<Index>(result.trace.size());
  EXPECT_GT(10 * at_wells, 9 * steps) << at_wells << " of " << steps;
  EXPECT_GE(bursts, 10);
  EXPECT_GE(state.plateaus, 10);
  EXPECT_GE(state.longest_plateau, 50);
  // The last thousand steps are as restless as the first.
  Index late_bursts = 0;
  for (std::size_t i = result.trace.size() - 1000; i < result.trace.size(); ++i) {
    late_bursts += result.trace[i].report.upper < 0.6;
  }
  EXPECT_GT(late_bursts, 0);
}

TEST(PaperExamples, Figure3ForgetsTheFollower) {
  const auto game = example("figure_3_escape");
  const auto result = run_of(game);
  EXPECT_LT(result.best_upper, 1e-12);  // f = (y - 2)^2, while the follower's answers are 1 and -1
  EXPECT_EQ(certify(game.problem, result.best_x, result.best_y).verdict, Verdict::fake_stationary_point);
  // The minimiser of phi^k is the start that k steps carry to y = 2: it moves to infinity as k grows.
  const GradientDescentMap map(*game.problem.lower, std::stod(game.settings.at("inner-step-size")));
  Vec z = Vec::Constant(1, 2);
  for (int k = 1; k <= 30; ++k) {
    const auto before = map.invert(game.problem.x0, z);
    ASSERT_TRUE(before.found);
    // Beyond |y| = sqrt 2 the follower is g = y^2 - 3/2: a step multiplies y by 1 - 2 a, its inverse divides.
    EXPECT_NEAR(before.y[0], z[0] / (1 - 2 * map.step_size()), 1e-10 * z[0]);
    z = before.y;
  }
  EXPECT_GT(z[0], 100);
}

TEST(PaperExamples, StronglyConvexAndComposedFollowersAreParametricMorse) {
  for (const auto* name : {"example_3_2a", "example_3_2b"}) {
    const auto report = morse_of(example(name));
    EXPECT_EQ(report.verdict, MorseVerdict::holds_on_the_samples) << name;
    EXPECT_TRUE(report.bounded) << name;
  }
}

TEST(PaperExamples, Example35FailsAtOneLeader) {
  const auto game = example("example_3_5");
  const auto map = branches_of(game);
  ASSERT_EQ(map.events.size(), 1u);
  EXPECT_EQ(map.events[0].kind, BranchEventKind::pitchfork);
  EXPECT_NEAR(map.events[0].x[0], 0, 1e-8);
  Index before = 0, after = 0;
  for (const auto& branch : map.branches) {
    before += branch.at(0.2).has_value();  // x = -0.5
    after += branch.at(0.8).has_value();   // x = 1
  }
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 3);
  EXPECT_EQ(morse_of(game).verdict, MorseVerdict::piecewise);
}

TEST(PaperExamples, Remark310LosesItsMinimiserToInfinity) {
  const auto game = example("remark_3_10");
  // y = -x / sqrt(1 - x^2) exists for |x| < 1 only; the line reaches beyond.
  const auto map = follow_branches(*game.problem.lower, {Vec::Constant(1, -1.5), Vec::Constant(1, 1.5)}, game.box_y, {},
                                   game.problem.upper.get());
  ASSERT_EQ(map.branches.size(), 1u);
  for (const auto* end : {&map.branches[0].begin, &map.branches[0].end}) {
    EXPECT_EQ(end->kind, BranchEventKind::escape) << end->text;
    EXPECT_NEAR(std::abs(end->x[0]), 1, 1e-2) << end->text;  // an extrapolation; its own accuracy is reported
  }
  for (const auto& point : map.branches[0].points) {
    const double x = point.x[0];
    EXPECT_NEAR(point.y[0], -x / std::sqrt(1 - x * x), 1e-6 * (1 + std::abs(point.y[0])));
  }
}

TEST(PaperExamples, Remark313NeedsCompactStarts) {
  // g = (x - y)^2: however many steps, some start is still far away, since each step only shrinks the distance.
  const auto game = example("remark_3_13");
  const GradientDescentMap map(*game.problem.lower, 0.25);  // y - x halves each step
  for (const double distance : {1.0, 1e3, 1e6}) {
    Vec y = game.problem.x0 + Vec::Constant(1, distance);
    int steps = 0;
    for (; std::abs(y[0] - game.problem.x0[0]) > 0.5; ++steps) y = map.apply(game.problem.x0, y);
    EXPECT_EQ(steps, static_cast<int>(std::ceil(std::log2(distance / 0.5))));
  }
}

}  // namespace
}  // namespace bilevel::testing
