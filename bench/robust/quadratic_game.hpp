// A game of two quadratics in extended precision, with the closed-form solution.
#pragma once

#include <memory>

#include "bilevel/quadratic.hpp"
#include "exact_game.hpp"

namespace bilevel::robust {

/// The follower's H must be positive definite.
class QuadraticGame final : public ExactGame {
 public:
  QuadraticGame(const Quadratic& upper, const Quadratic& lower);

  std::optional<RealVec> answer(const RealVec& x, const RealVec& near) const override;
  RealMat slope(const RealVec&, const RealVec&) const override { return slope_; }
  Real upper(const RealVec& x, const RealVec& y) const override;
  Gradients upper_gradients(const RealVec& x, const RealVec& y) const override;
  /// Empty if phi is not strictly convex.
  std::optional<RealVec> minimiser() const override;

 private:
  struct Coefficients {
    RealMat yy, yx, xx;
    RealVec x, y;
  };
  static Coefficients extend(const QuadraticCoefficients& given);

  Coefficients f_, g_;
  Eigen::LDLT<RealMat> factors_;  // of H
  RealMat slope_;                 // - H^-1 C
};

/// The problem's two objectives must be Quadratic.
std::shared_ptr<const ExactGame> quadratic_game(const Objective& upper, const Objective& lower);

}  // namespace bilevel::robust
