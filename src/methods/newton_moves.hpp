// The moves of Newton's method for the leader: a model of phi, trials within a radius, and looks around an answer.
#pragma once

#include <string>

#include "bilevel/problem.hpp"
#include "methods/newton_state.hpp"
#include "methods/trust_region.hpp"

namespace bilevel {

/// Moves of one state on one problem; keeps no memory of its own.
class NewtonMoves {
 public:
  NewtonMoves(const BilevelProblem& problem, const NewtonOptions& options, Newton::State& state)
      : problem_(problem), options_(options), s_(state) {}

  bool formed() const { return s_.x.size() <= options_.formed_leader; }
  LeaderAnswer answer(const Vec& x, const Vec& start);
  /// The answer after a move p of the leader, from the better of y and its first-order response.
  LeaderAnswer trial(const Vec& p);
  /// Takes the triple as the present one.
  void accept(LeaderAnswer next);
  /// Measures M at the present triple. False where its differences cannot be had.
  bool measure();
  /// Whether measuring M costs no more than a few answers: then it is measured at every triple.
  bool measures_cheaply() const;
  /// What a trial's hypergradient says about M: symmetric rank-one (formed), or one more pair.
  void learn(const LeaderAnswer& from, const LeaderAnswer& to);

  /// Newton's step with the absolute values of M's eigenvalues.
  Vec newton_step() const;
  TrustRegionStep propose(double radius) const;
  /// A given move as a step of the formed model.
  TrustRegionStep push(const Vec& p) const;
  double length(const Vec& p) const;
  /// Largest |p_i| in units of x_i.
  double in_units(const Vec& p) const;

  /// How far the follower is from its first-order response, as a share of how far it went: where that is much, f may
  /// fall as the model says and yet the model mean nothing. 0 where H was not formed.
  double lag(const LeaderAnswer& next) const;

  /// A point at which f is lower than here beyond rounding, along directions in which M has next to no curvature; not
  /// ok() if there is none. Sets state.flat if there are such directions. `thorough`: also where there is little
  /// curvature.
  LeaderAnswer look_along_flats(bool thorough);
  /// Whether f has a kink here: hypergradients around, of answers that are no better, have nearly a vanishing mean.
  bool at_kink();
  /// What f does along p, out to a hundred million times its length.
  struct Tail {
    bool falls_for_ever = false;  // it never rises
    bool unbounded = false;       // and falls by more and more
    LeaderAnswer lowest;          // where it last fell by more than rounding
  };
  Tail tail(const Vec& p);
  /// What rounding makes of f.
  double rounding_of_upper(double other) const;

 private:
  /// The unit of each x_i; where it has none, that of the others, or 1 if none has any.
  Vec units() const;

  const BilevelProblem& problem_;
  const NewtonOptions& options_;
  Newton::State& s_;
};

}  // namespace bilevel
