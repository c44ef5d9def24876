// What `bilevel solve` prints and writes.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "bilevel/certificate.hpp"
#include "bilevel/game.hpp"
#include "bilevel/global.hpp"
#include "bilevel/run.hpp"
#include "game_report.hpp"

namespace bilevel::cli {

/// The answer of one solve, by a method or by the global search.
struct SolveOutcome {
  std::string method;  // "smbg", or "global"
  Vec x;               // R^n
  Vec y;               // R^m
  double upper = 0;    // f(x, y)
  double lower = 0;    // g(x, y)
  Certificate certificate;
  Status status = Status::budget_reached;
  std::string message;
  Index iterations = 0;
  double seconds = 0;
  OracleCounts upper_calls, lower_calls;
  Choices choices;
  std::vector<Finding> findings;
  std::vector<std::string> notes;            // e.g. the perturbation
  std::optional<GlobalResult> global;        // where asked
  std::map<std::string, std::string> asked;  // every option of the run
  std::string directory, picture;            // empty: none
};

std::string solve_text(const Game& game, const SolveOutcome& outcome);
std::string solve_json(const Game& game, const SolveOutcome& outcome);

}  // namespace bilevel::cli
