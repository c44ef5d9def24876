// What Newton's method for the leader carries from step to step.
#pragma once

#include <memory>
#include <vector>

#include "bilevel/newton.hpp"
#include "hypergradient/leader_answer.hpp"
#include "lower/lbfgs_pairs.hpp"

namespace bilevel {

struct Newton::State final : OuterMethod::State {
  LeaderAnswer answer;   // at x
  AnswerMemory memory;   // of the follower's solves
  Vec unit;              // R^n: |x_i| or its last move, what x_i is measured in
  Vec difference_steps;  // R^n, of the Hessian's differences

  // The model of phi around x: formed for few leader variables, else pairs of changes.
  Eigen::MatrixXd model;
  ScaledSpectrum spectrum;
  Vec largest_scale;   // R^n, the largest diagonal of S so far
  bool fresh = false;  // measured at this very x
  LbfgsPairs pairs{10};
  double first_step_size = 0;  // 1 / curvature along h, before there are pairs

  Vec reach;    // R^n: the radius is |S reach|, so that it keeps its meaning where S changes; empty: not yet known
  Vec x_start;  // R^n
  double largest_upper = 0;   // f at the start
  std::vector<double> moves;  // Newton's step at each accepted triple, largest entry
  bool flat = false;          // solved where f has no curvature along some direction
  bool kink = false;          // solved at a kink
  bool escaped_saddle = false;
  Vec escape;  // R^n: a direction along which f falls for ever; empty: none was met

  std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
  bool assign(const OuterMethod::State& other) override {
    *this = dynamic_cast<const State&>(other);
    return true;
  }
};

}  // namespace bilevel
