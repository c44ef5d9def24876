#include "game_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "bilevel/dpbg.hpp"
#include "bilevel/status.hpp"
#include "pictures/gnuplot.hpp"
#include "pictures/run_picture.hpp"

namespace bilevel::cli {

namespace {

PictureKind kind_for(const PictureSettings& settings, const SolvedPicture& solved) {
  if (settings.kind != PictureKind::automatic) return settings.kind;
  const auto& problem = solved.game.problem;
  if (problem.dim_x() == 1 || !solved.run) return PictureKind::landscape;
  return PictureKind::run;
}

/// A line of leaders through the box: the interval itself, or the diagonal.
LeaderLine line_of(const Game& game) { return {game.box_x.low, game.box_x.high}; }

Landscape landscape_of(const Game& game, const BranchMap& map) {
  Landscape landscape;
  landscape.title = game.problem.name;
  landscape.lower = game.problem.lower.get();
  landscape.upper = game.problem.upper.get();
  landscape.line = map.line;
  landscape.box_y = game.box_y;
  landscape.branches = &map;
  landscape.direction_field = true;
  return landscape;
}

/// The interval of z that shows the box and every iterate that is not far away.
std::pair<double, double> range_of_starts(const Box& box, const std::vector<TracedValue>& values) {
  constexpr double kFar = 10;
  double low = box.low[0], high = box.high[0];
  const double width = high - low;
  for (const auto& traced : values) {
    if (traced.z.size() == 0 || std::abs(traced.z[0] - box.centre()[0]) > kFar * width) continue;
    low = std::min(low, traced.z[0]);
    high = std::max(high, traced.z[0]);
  }
  return {low, high};
}

void draw_value(const PictureSettings& settings, const SolvedPicture& solved) {
  const auto* state = &dynamic_cast<const Dpbg::State&>(*solved.run->state);
  const auto& problem = solved.game.problem;
  const GradientDescentMap map(*problem.lower, state->inner.step_size);
  ValuePicture picture;
  picture.title = fmt::format("{}: k = {}, a = {:.3g}", problem.name, state->inner.steps, state->inner.step_size);
  picture.upper = problem.upper.get();
  picture.lower = problem.lower.get();
  picture.map = &map;
  picture.steps = state->inner.steps;
  picture.x = solved.answer.x;
  picture.z = state->z;
  picture.iterations = solved.path->values();
  std::tie(picture.low, picture.high) = range_of_starts(solved.game.box_y, picture.iterations);
  if (problem.known) picture.references.push_back({problem.known->upper, "solution"});
  draw(value_picture_script(picture), settings.plot);
}

}  // namespace

void describe(OptionTable& table, PictureSettings& settings) {
  table.group("Output")
      .add("plot", settings.plot, "draw a picture into this file; one that bilevel drew is replaced",
           "a file that ends in .png or .svg")
      .add("picture", settings.kind,
           "landscape: g with branches and iterates; value: phi^k (dpbg); run: along the iterations; auto: what fits",
           {{"auto", PictureKind::automatic},
            {"landscape", PictureKind::landscape},
            {"value", PictureKind::value},
            {"run", PictureKind::run}});
}

void check(const PictureSettings& settings, const std::string& method) {
  if (settings.plot.empty()) return;
  picture_format(settings.plot);
  if (method.empty()) return;
  if (method == "inspect" && settings.kind != PictureKind::automatic && settings.kind != PictureKind::landscape) {
    throw InvalidInput("inspect draws the landscape; the other pictures show a run of solve");
  }
  if (settings.kind == PictureKind::value && method != "dpbg") {
    throw InvalidInput("the picture 'value' shows phi^k, which only the method dpbg descends");
  }
  if (settings.kind == PictureKind::run && method == "global") {
    throw InvalidInput("the picture 'run' needs a method's run, which --global is not");
  }
}

void PathObserver::on_start(const BilevelProblem& problem, const OuterMethod::State& state) {
  start_ = {problem.x0, problem.y0};
  if (const auto* dpbg = dynamic_cast<const Dpbg::State*>(&state)) z_ = dpbg->z;
}

void PathObserver::on_step(const TraceRow& row, const OuterMethod::State& state) {
  constexpr std::size_t kMost = 200'000;
  if (points_.size() < kMost) {
    points_.push_back({state.answered_x.size() > 0 ? state.answered_x : state.x, state.y});
    values_.push_back({z_, row.report.upper});
  }
  if (const auto* dpbg = dynamic_cast<const Dpbg::State*>(&state)) z_ = dpbg->z;
}

void draw_solved(const PictureSettings& settings, const SolvedPicture& solved) {
  const auto kind = kind_for(settings, solved);
  if (kind == PictureKind::value) return draw_value(settings, solved);
  if (kind == PictureKind::run) return draw(run_picture_script(solved.game.problem.name, *solved.run), settings.plot);
  const auto map = solved.map ? *solved.map
                              : follow_branches(*solved.game.problem.lower, line_of(solved.game), solved.game.box_y, {},
                                                solved.game.problem.upper.get());
  auto landscape = landscape_of(solved.game, map);
  landscape.slice = solved.answer.y;
  if (solved.path) {
    landscape.iterates = solved.path->points();
    landscape.iterates.insert(landscape.iterates.begin(), solved.path->start());
  }
  const auto& known = solved.game.problem.known;
  if (solved.certified) {
    landscape.solution = solved.answer;
  } else if (known) {
    landscape.solution = PlottedPoint{known->x, known->y};
  }
  draw(landscape_script(landscape), settings.plot);
}

void draw_inspected(const PictureSettings& settings, const Game& game, const BranchMap& map) {
  draw(landscape_script(landscape_of(game, map)), settings.plot);
}

}  // namespace bilevel::cli
