// The follower's landscape: g over a line of leaders and one follower coordinate, with what was computed on it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bilevel/box.hpp"
#include "bilevel/branches.hpp"
#include "bilevel/objective.hpp"
#include "pictures/script.hpp"

namespace bilevel::cli {

/// A leader and a follower's answer.
struct PlottedPoint {
  Vec x;  // R^n
  Vec y;  // R^m
};

struct Landscape {
  std::string title = {};                   // the game's name
  const Objective* lower = nullptr;         // g, with values; needed
  const Objective* upper = nullptr;         // f: its contour lines are drawn; may be null
  LeaderLine line = {};                     // across: x itself if n = 1, else t in [0, 1]
  Box box_y = {};                           // R^m; up: coordinate `coordinate`
  Index coordinate = 0;                     // which follower coordinate, from 0
  Vec slice = {};                           // R^m, the other coordinates; empty: the centre of box_y
  const BranchMap* branches = nullptr;      // minimisers red, others blue, events marked; may be null
  std::vector<PlottedPoint> iterates = {};  // in order; first and last marked
  std::optional<PlottedPoint> solution = {};
  bool direction_field = false;  // arrows along -g_y
  Index columns = 240;           // cells of the heat map
  Index rows = 180;
};

/// The picture's script. Points off the line of leaders are projected on it, points off the slice of followers on the
/// slice, and the picture says so. Calls g columns * rows times, f 10,800 times. Throws InvalidInput without a lower
/// objective, for a line whose ends are one leader, a coordinate with an empty range, or under 2 columns or rows;
/// MissingOracle for an objective without values (or g without grad_y, if a direction field is asked for);
/// DimensionMismatch.
///
///     draw(landscape_script({.title = game.problem.name, .lower = game.problem.lower.get(),
///                            .line = {game.box_x.low, game.box_x.high}, .box_y = game.box_y, .branches = &map}),
///          "game.png");
Script landscape_script(const Landscape& landscape);

}  // namespace bilevel::cli
