// The mixed-integer form of a game: the leader's best over every branch of the follower's local minimisers.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/branches.hpp"
#include "bilevel/certificate.hpp"
#include "bilevel/problem.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

struct GlobalOptions {
  Index samples = 0;            // leaders at which branches are looked for, n > 1; 0: 8 + 4 n, at most 40
  double tolerance = 1e-9;      // |grad phi_i| relative to its terms, |f_x| + |B H^-1 f_y|
  Index max_iterations = 200;   // of each descent
  double tie_tolerance = 1e-8;  // follower values nearer than this times their range count as equal
  BranchOptions branches = {};
  CertificateOptions certificate = {};
  std::uint64_t seed = 1;
  const std::atomic<bool>* interrupt = nullptr;         // ends the search after the descent in hand
  std::function<void(std::string_view)> on_stage = {};  // told what is done next
};

/// A local solution min_x f(x, y_i(x)) on one branch of minimisers.
struct BranchSolution {
  Vec x;               // R^n
  Vec y;               // R^m
  double upper = 0;    // f(x, y)
  double lower = 0;    // g(x, y)
  Index branch = -1;   // its id in `map` (n = 1), else the rank of the branch piece among those descended
  Index descents = 1;  // how many descents ended here
  Certificate certificate;
  double follower_gap = 0;          // g(x, y) - the least g of a minimiser found at this x; 0: y is a global minimiser
  bool follower_is_global = false;  // gap within the tie tolerance
  /// Least and largest f over the follower's global minimisers found at x: they differ where it is indifferent.
  double optimistic = 0;
  double pessimistic = 0;
  std::string message;  // how the descent ended
};

/// A leader at which two branches of global minimisers exchange their places: the follower is indifferent. n = 1 only.
struct BranchTie {
  Vec x;
  Vec y_first, y_second;
  double lower = 0;
  double upper_first = 0, upper_second = 0;
  Index first = 0, second = 0;  // branch ids
  double optimistic() const { return std::min(upper_first, upper_second); }
  double pessimistic() const { return std::max(upper_first, upper_second); }
};

struct GlobalResult {
  std::vector<BranchSolution> solutions;  // distinct, least f first
  std::vector<BranchTie> ties;            // n = 1
  std::optional<BranchMap> map;           // n = 1: the branches over the whole box
  /// Descents that ran to the end of their branch (a fold, the box's surroundings): infima that are not attained there.
  std::vector<std::string> open_ends;
  Index branches = 0;                    // pieces of branches of minimisers that were descended
  std::string completeness;              // one sentence
  Status status = Status::lower_failed;  // converged: there is a solution
  std::string message;
  double seconds = 0;
  OracleCounts upper_calls, lower_calls;

  /// The solution of the local-minimum relaxation: the first. Empty if there is none.
  const BranchSolution* best() const { return solutions.empty() ? nullptr : &solutions.front(); }
  /// The best whose y is a global minimiser of g(x, .), for the game proper; ties are not among them.
  const BranchSolution* best_with_global_follower() const;
};

/// min over i in 1..N and x of f(x, y_i(x)) [BLPV25, Table 1]: finds the branches of minimisers over box_x (n = 1: all
/// of the interval; else those met at sampled leaders), descends phi_i on each by BFGS with y_i tracked by
/// continuation, and returns all distinct local solutions. Interior solutions: the boxes say where to look, not what is
/// allowed. Forms H: m <= kLargestSearchDimension. Throws DimensionMismatch, InvalidOption, InvalidInput,
/// MissingOracle.
GlobalResult solve_global(const BilevelProblem& problem, const Box& box_x, const Box& box_y,
                          const GlobalOptions& options = {});

}  // namespace bilevel
