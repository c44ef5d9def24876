// Which picture of a game --plot draws, from what the commands computed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bilevel/branches.hpp"
#include "bilevel/game.hpp"
#include "bilevel/options.hpp"
#include "bilevel/run.hpp"
#include "pictures/landscape.hpp"
#include "pictures/value_picture.hpp"

namespace bilevel::cli {

enum class PictureKind {
  automatic,
  landscape,  // g over a line of leaders and a follower variable, branches, iterates
  value,      // phi^k against z and along the iterations [BLPV25, figures 2 and 3]
  run,        // upper value, |hypergradient| and residual along the iterations
};

struct PictureSettings {
  std::string plot;  // the picture's file; empty: none
  PictureKind kind = PictureKind::automatic;
};
void describe(OptionTable& table, PictureSettings& settings);
/// Throws InvalidInput for a file name that is neither .png nor .svg, and for a kind that a solve by `method` ("global"
/// included; "inspect": that command; empty: not known yet) cannot show: before the work, not after it.
void check(const PictureSettings& settings, const std::string& method = "");

/// Keeps where a run went, up to 200,000 steps: the start, then the pairs of a leader and the follower's answer.
class PathObserver final : public Observer {
 public:
  void on_start(const BilevelProblem& problem, const OuterMethod::State& state) override;
  void on_step(const TraceRow& row, const OuterMethod::State& state) override;
  const PlottedPoint& start() const { return start_; }
  const std::vector<PlottedPoint>& points() const { return points_; }
  const std::vector<TracedValue>& values() const { return values_; }

 private:
  PlottedPoint start_;
  Vec z_;  // DPBG's, before the step that is running
  std::vector<PlottedPoint> points_;
  std::vector<TracedValue> values_;
};

/// What a solve has to show. `run` and `path` are null for a global solve, `map` where no branches were followed.
struct SolvedPicture {
  const Game& game;
  const RunResult* run = nullptr;
  const PathObserver* path = nullptr;
  const BranchMap* map = nullptr;
  PlottedPoint answer = {};
  bool certified = false;  // only then the answer is marked as a solution; else the file's solution is, if it has one
};

/// Draws the picture; automatic: the landscape for one leader variable or without a run, else the run. Throws
/// InvalidInput as draw() does. The kind must have passed check().
void draw_solved(const PictureSettings& settings, const SolvedPicture& solved);

/// The landscape along a line of leaders with its branches, for inspect.
void draw_inspected(const PictureSettings& settings, const Game& game, const BranchMap& map);

}  // namespace bilevel::cli
