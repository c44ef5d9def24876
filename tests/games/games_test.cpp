// The library of games: every file is read, and what solves them and what is said about the ends keeps its shares.
#include <gtest/gtest.h>

#include <cstdio>

#include "games/games_table.hpp"

namespace bilevel::testing {
namespace {

TEST(Games, AreSolvedAndJudgedRightly) {
  const auto rows = judge_games(BILEVEL_GAMES);
  EXPECT_GE(rows.size(), 25u);
  for (const auto& row : rows) {
    EXPECT_EQ(row.points_right, row.points) << (row.wrong_points.empty() ? "" : row.wrong_points.front());
  }
  for (std::size_t k = 0; k < table_methods().size(); ++k) {
    const auto share = shares(rows, k);
    SCOPED_TRACE(table_methods()[k]);
    EXPECT_EQ(share.false_positives, 0);  // nothing that values contradict may be called a solution
    EXPECT_GE(20 * share.certificates_right, 19 * share.runs);
    // The search over branches finds the file's solution wherever the follower has strict minimisers; what the
    // recommendation chooses ends at a local solution, or at an equilibrium with the answer that the follower's descent
    // selects, on nine games of ten.
    if (table_methods()[k] == "global") {
      EXPECT_EQ(share.solved, share.runs);
    }
    if (table_methods()[k] == "auto") {
      EXPECT_GE(10 * (share.local_solutions + share.equilibria), 9 * share.runs);
    }
  }
  if (HasFailure()) std::fputs(games_text(rows).c_str(), stdout);
}

}  // namespace
}  // namespace bilevel::testing
