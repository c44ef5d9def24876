// Every game of examples/games solved by every method that applies, and judged by values alone: no derivative and no
// part of the certificate takes part in the judgement.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bilevel/game.hpp"

namespace bilevel::testing {

/// How one run on one game ended.
struct GameRun {
  std::string method;
  bool refused = false;      // the method cannot be used on this game
  bool solved = false;       // x and f within 1e-6 of the file's solution
  bool is_solution = false;  // a local solution by values: see is_local_solution
  bool is_sharp = false;     // that, and phi rises like |d|^p with p < 3/2, without a second derivative: see is_sharp
  /// Not that, but nothing moves to first order where the follower's descent decides which answer it gives.
  bool is_equilibrium = false;
  bool certified = false;  // the certificate's verdict is "certified local bilevel solution"
  std::string verdict;
  double seconds = 0;
  Index iterations = 0;
  /// "Equilibrium with degenerate follower" claims less than a solution, so it is right about one as well, and "kink
  /// suspected" is right about a solution that lies on a kink.
  bool certificate_right() const {
    return certified == is_solution || (is_solution && verdict == "equilibrium with degenerate follower") ||
           (is_sharp && verdict == "kink suspected");
  }
};

struct GameRow {
  std::string name;  // the file's stem
  Index n = 0, m = 0;
  bool has_solution = false;
  std::vector<GameRun> runs;
  Index points = 0;        // [[point]] entries of the file
  Index points_right = 0;  // whose certificate says what the file says
  std::vector<std::string> wrong_points;
};

/// The ways to solve that the table compares: "auto" follows the recommendation, "global" descends every branch.
const std::vector<std::string>& table_methods();

/// True if no nearby value contradicts that (x, y) is a local solution: g rises around y in random directions, and
/// phi, with the follower solved anew by L-BFGS from y, neither falls in random directions nor has a slope.
bool is_local_solution(const BilevelProblem& problem, const Vec& x, const Vec& y);

/// Of a local solution: whether phi of is_local_solution rises around x as no function with a second derivative does,
/// measured at two distances.
bool is_sharp(const BilevelProblem& problem, const Vec& x, const Vec& y);

/// True if no nearby value contradicts [AM22, (SC)]: g does not fall around y, and f has no slope along x when the
/// follower's gradient descent starts at y. Where the follower has strict minimisers x may be a maximum.
bool is_selection_equilibrium(const BilevelProblem& problem, const Vec& x, const Vec& y);

GameRow judge_game(const std::filesystem::path& file);

/// Rows of all games in a folder, by name.
std::vector<GameRow> judge_games(const std::filesystem::path& folder);

/// Of the games that a method was not refused on.
struct MethodShares {
  Index runs = 0, solved = 0, local_solutions = 0, equilibria = 0, certificates_right = 0, false_positives = 0;
  double seconds = 0;
};
/// `method` is a place in table_methods().
MethodShares shares(const std::vector<GameRow>& rows, std::size_t method);

/// The table, then the shares.
std::string games_text(const std::vector<GameRow>& rows);

}  // namespace bilevel::testing
