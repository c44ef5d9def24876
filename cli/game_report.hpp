// What is printed about a game: points, branches, verdicts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bilevel/branches.hpp"
#include "bilevel/critical_points.hpp"
#include "bilevel/game.hpp"
#include "bilevel/global.hpp"
#include "bilevel/morse.hpp"
#include "bilevel/morse_bott.hpp"
#include "bilevel/recommendation.hpp"
#include "bilevel/uniform_convexity.hpp"

namespace bilevel::cli {

using Json = nlohmann::ordered_json;

/// "0.25" for one entry, else "(0.25, -1.5, ... 47 more)"; `digits` significant ones.
std::string point_text(const Vec& point, int digits = 6);
Json vec_json(const Vec& vec);
/// A number, or null if it is not finite: JSON has no word for that.
Json number_json(double value);

/// Name, story, formulas, dimensions.
std::string game_text(const Game& game);

std::string critical_points_text(const CriticalPoints& found, const Vec& x);
Json critical_points_json(const CriticalPoints& found);

/// The Morse-Bott test at the critical point of number `id`.
struct MorseBottAt {
  Index id = 0;
  MorseBott test;
};

/// Empty without points.
std::string morse_bott_points_text(const std::vector<MorseBottAt>& points);
Json morse_bott_points_json(const std::vector<MorseBottAt>& points);

/// How g rises around the follower's answer, the critical point of number `id`.
struct UniformConvexityAt {
  Index id = 0;
  UniformConvexity estimate;
};
std::string uniform_convexity_text(const UniformConvexityAt& at);
Json uniform_convexity_json(const UniformConvexityAt& at);

/// The branches and the events at their ends.
std::string branches_text(const BranchMap& map);
Json branches_json(const BranchMap& map);

std::string morse_text(const MorseReport& report);
Json morse_json(const MorseReport& report);

std::string recommendation_text(const Recommendation& advice, const std::string& file);
Json recommendation_json(const Recommendation& advice);

/// All local solutions, ties and open ends of a global solve.
std::string global_text(const GlobalResult& result);
Json global_json(const GlobalResult& result);

}  // namespace bilevel::cli
