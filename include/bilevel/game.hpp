// A leader-follower game as a TOML file of formulas.
//
//     [problem]                                   [start]
//     name  = "two wells"                         x = [0.5]
//     upper = "(x - 0.3)^2 + (y - 0.1)^2"         y = [1.2]
//     lower = "huber(y^2 - 1 - 0.2*x)"            [box]
//     [parameters]                                x = [[-1, 1]]
//     a = 2.5                                     y = [[-2, 2]]
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/box.hpp"
#include "bilevel/problem.hpp"

namespace bilevel {

/// A point whose certificate is known: [[point]] x, y, verdict, in a game file.
struct KnownPoint {
  Vec x;
  Vec y;
  std::string verdict;  // as to_string(Verdict) in certificate.hpp
};

struct Game {
  BilevelProblem problem;   // `known` from [solution]
  std::string description;  // [problem] description, may be empty
  std::string origin;       // [problem] source: where the game comes from, may be empty
  std::string upper_text;   // the formulas as written
  std::string lower_text;
  Box box_x;  // [box], else start +- 3 max(1, |start|)
  Box box_y;
  bool box_is_given = false;  // both were in the file
  /// [solve]: options of `bilevel solve` by name, as text; the command line wins.
  std::map<std::string, std::string> settings;
  std::vector<KnownPoint> points;
};

/// [start] gives n and m; docs/games.md lists every key. A name that is not in the file is the stem of `source`.
/// Throws InvalidInput whose sentence starts with "source:line:column:" for text that is no game: not TOML, a key that
/// is unknown (with the nearest known one) or missing, a formula that cannot be read (line and column of the mistake in
/// the file), dimensions that [start], [box], [solution] and the formulas do not agree on (all misfits at once),
/// numbers that are not finite, a known value of `upper` that the formula does not confirm within 1e-6.
Game parse_game(std::string_view toml, std::string_view source);

/// parse_game on a file's content; InvalidInput if the file cannot be read or is over 1 MB.
Game read_game(const std::filesystem::path& file);

}  // namespace bilevel
