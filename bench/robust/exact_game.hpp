// A game written a second time, in extended precision and with its follower solved: what answers are judged by.
#pragma once

#include <optional>
#include <utility>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "bilevel/vec.hpp"

namespace bilevel::robust {

using Real = long double;
using RealVec = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
using RealMat = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;

inline RealVec extended(const Vec& a) { return a.cast<Real>(); }
inline RealMat extended(const Eigen::MatrixXd& a) { return a.cast<Real>(); }

/// Nothing here calls an oracle of the objectives that the methods see.
class ExactGame {
 public:
  virtual ~ExactGame() = default;

  /// The follower's minimiser at x in R^n, of several the one on the branch of `near` in R^m, of a connected set of
  /// them the one that is best for the leader; empty if there is none.
  virtual std::optional<RealVec> answer(const RealVec& x, const RealVec& near) const = 0;
  /// Derivative of answer() at x where it is `y`: m x n.
  virtual RealMat slope(const RealVec& x, const RealVec& y) const = 0;
  virtual Real upper(const RealVec& x, const RealVec& y) const = 0;
  struct Gradients {
    RealVec x, y;
  };
  virtual Gradients upper_gradients(const RealVec& x, const RealVec& y) const = 0;

  /// Gradient of phi(x) = f(x, answer(x)) at x where the answer is y.
  virtual RealVec value_slope(const RealVec& x, const RealVec& y) const;
  /// Hessian of phi there, by differences of value_slope.
  virtual RealMat value_curvature(const RealVec& x, const RealVec& y) const;

  /// The leader's solution where it has a closed form.
  virtual std::optional<RealVec> minimiser() const { return std::nullopt; }
  /// Whether two answers of the follower lie on one branch.
  virtual bool same_branch(const RealVec&, const RealVec&) const { return true; }
};

/// f = sum_i leader_i (x_i - wish_x_i)^2 / 2 + sum_j follower_j (y_j - wish_y_j)^2 / 2.
struct Wishes {
  Vec leader, wish_x;    // R^n
  Vec follower, wish_y;  // R^m

  template <typename View>
  auto operator()(const View& x, const View& y) const {
    decltype(x[0] + y[0]) total = 0;
    for (Index i = 0; i < wish_x.size(); ++i) total += 0.5 * leader[i] * (x[i] - wish_x[i]) * (x[i] - wish_x[i]);
    for (Index j = 0; j < wish_y.size(); ++j) total += 0.5 * follower[j] * (y[j] - wish_y[j]) * (y[j] - wish_y[j]);
    return total;
  }
};

/// A game whose leader has wishes.
class GameOfWishes : public ExactGame {
 public:
  explicit GameOfWishes(const Wishes& wishes)
      : leader_(extended(wishes.leader)),
        wish_x_(extended(wishes.wish_x)),
        follower_(extended(wishes.follower)),
        wish_y_(extended(wishes.wish_y)) {}

  Real upper(const RealVec& x, const RealVec& y) const override {
    return (leader_.array() * (x - wish_x_).array().square()).sum() / 2 +
           (follower_.array() * (y - wish_y_).array().square()).sum() / 2;
  }
  Gradients upper_gradients(const RealVec& x, const RealVec& y) const override {
    return {leader_.cwiseProduct(x - wish_x_), follower_.cwiseProduct(y - wish_y_)};
  }

 protected:
  RealVec leader_, wish_x_, follower_, wish_y_;
};

/// A game whose follower is solved by a damped Newton method on a strictly convex g.
class NewtonGame : public ExactGame {
 public:
  struct Lower {
    Real value = 0;
    RealVec gradient;  // g_y
  };
  virtual Lower lower(const RealVec& x, const RealVec& y) const = 0;
  virtual RealMat hessian(const RealVec& x, const RealVec& y) const = 0;  // H; its lower triangle counts
  virtual RealMat cross(const RealVec& x, const RealVec& y) const = 0;    // d g_y / dx, m x n
  struct Curvature {
    RealMat xx, yx, yy;
  };
  /// Second derivatives of f - w'g_y for a fixed w in R^m.
  virtual Curvature curvature(const RealVec& x, const RealVec& y, const RealVec& w) const = 0;

  std::optional<RealVec> answer(const RealVec& x, const RealVec& near) const override;
  RealMat slope(const RealVec& x, const RealVec& y) const override;
  RealVec value_slope(const RealVec& x, const RealVec& y) const override;
  RealMat value_curvature(const RealVec& x, const RealVec& y) const override;
};

}  // namespace bilevel::robust
