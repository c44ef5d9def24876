// A random instance of a family: the problem that the methods see, and what its answers are judged by.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bilevel/problem.hpp"
#include "bilevel/random.hpp"
#include "descent.hpp"

namespace bilevel::robust {

/// The problem's x, y, f and g in terms of the exact game's: x of the game = unit_x x of the problem and so on,
/// f of the problem = unit_f f of the game + shift_f.
struct Units {
  Vec x, y;  // empty: ones
  double f = 1, g = 1, shift_f = 0, shift_g = 0;
};

struct Instance {
  BilevelProblem problem;
  std::string variant;  // "raw penalty, far start"
  std::shared_ptr<const ExactGame> game;
  Units units;
  /// The leader has several local minima, each of which is a solution if it is not worse than the start.
  bool several_solutions = false;
  /// The share of what the leader can gain that f may be off at y because y is not quite the follower's answer.
  double answer_tolerance = 1e-6;
  double reach = 1e300;  // a reference with a larger entry counts as none: the infimum is at infinity

  Point start;         // the start with the follower's answer, in the game's units
  Point reference;     // the solution, or the one below the start
  bool found = false;  // the reference is a minimum

  RealVec game_x(const Vec& x) const;
  RealVec game_y(const Vec& y) const;
};

/// Random numbers as the families draw them.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random(seed) {}

  /// From 1 to 60, half of them up to 8, and never below `least`.
  Index size(Index least = 1, Index most = 60);
  Index between(Index least, Index most);
  double uniform(double low, double high) { return low + (high - low) * random.uniform(); }
  double log_uniform(double low, double high);
  bool chance(double share) { return random.uniform() < share; }
  Vec normal(Index size, double deviation = 1);
  Vec uniform_vector(Index size, double low, double high);
  Eigen::MatrixXd normal(Index rows, Index columns, double deviation = 1);
  /// Uniformly random rotation.
  Eigen::MatrixXd rotation(Index size);
  /// Eigenvalues from 1 down to 1 / condition, logarithmically at random with both ends met.
  Vec spectrum(Index size, double condition);

  Random random;
};

struct Family {
  std::string name;
  std::string what;  // half a sentence
  Instance (*make)(Draw& draw);
};

/// All families, in the order of the table.
const std::vector<Family>& families();

/// Instance `index` of a family, with its start and its reference; drawn anew until the reference is a minimum in
/// reach. Throws std::runtime_error if no draw has one.
Instance make_instance(const Family& family, std::uint64_t seed, std::size_t index);

Instance ridge(Draw& draw);
Instance logistic(Draw& draw);
Instance quadratic(Draw& draw);
Instance quadratic_of_condition(Draw& draw, double condition);
Instance scaled(Draw& draw);
Instance flat(Draw& draw);
Instance hills(Draw& draw);
Instance wells(Draw& draw);
Instance manifold(Draw& draw);
Instance log_sum_exp_game(Draw& draw);
Instance oligopoly(Draw& draw);

}  // namespace bilevel::robust
