// Followers whose minima form a circle, a line or a plane: the leader may choose the best of them.
#include <algorithm>
#include <cmath>

#include "bilevel/autodiff.hpp"
#include "bilevel/quadratic.hpp"
#include "smooth_map.hpp"

namespace bilevel::robust {

namespace {

/// The first two followers are indifferent on the circle of radius 1 around the map's first two entries; the leader
/// wants them at its wish, so they are at the nearest point.
class RingGame final : public GameOfWishes {
 public:
  RingGame(const Wishes& wishes, SmoothMap map) : GameOfWishes(wishes), map_(std::move(map)) {}

  std::optional<RealVec> answer(const RealVec& x, const RealVec&) const override {
    RealVec y = map_.at(x);
    const RealVec gap = wish_y_.head(2) - y.head(2);
    const Real distance = gap.norm();
    if (distance == 0) return std::nullopt;  // all points of the circle are equally good: a kink, and a maximum
    y.head(2) += gap / distance;
    return y;
  }
  RealMat slope(const RealVec& x, const RealVec&) const override {
    RealMat result = map_.slope(x);
    const RealVec gap = wish_y_.head(2) - map_.at(x).head(2);
    const Real distance = gap.norm();
    const RealVec u = gap / distance;
    const RealMat turn = (RealMat::Identity(2, 2) - u * u.transpose()) / distance;
    result.topRows(2) = ((RealMat::Identity(2, 2) - turn) * result.topRows(2)).eval();
    return result;
  }

 private:
  SmoothMap map_;
};

/// The followers are indifferent along the columns of `kernel`; the leader's best there.
class PlaneGame final : public GameOfWishes {
 public:
  PlaneGame(const Wishes& wishes, SmoothMap map, const Eigen::MatrixXd& kernel)
      : GameOfWishes(wishes), map_(std::move(map)), kernel_(extended(kernel)) {
    const RealMat weighted = kernel_.transpose() * follower_.asDiagonal();
    // y = s + K t with K'W (s + K t - wish) = 0
    project_ = kernel_ * Eigen::LDLT<RealMat>(weighted * kernel_).solve(weighted);
  }

  std::optional<RealVec> answer(const RealVec& x, const RealVec&) const override {
    const RealVec y = map_.at(x);
    return y + project_ * (wish_y_ - y);
  }
  RealMat slope(const RealVec& x, const RealVec&) const override {
    const RealMat moved = map_.slope(x);
    return moved - project_ * moved;
  }

 private:
  SmoothMap map_;
  RealMat kernel_, project_;
};

Instance ring(Draw& draw) {
  const Index n = draw.size(), m = draw.size(2);
  const bool bent = draw.chance(0.3);
  const SmoothMap map = SmoothMap::draw(draw, m, n, bent);
  const Vec weights = draw.uniform_vector(m, 0.3, 3);
  Wishes wishes = draw_wishes(draw, n, m, draw.uniform(0.1, 1));
  wishes.follower.head(2).setOnes();  // so that the nearest point is the best
  Instance instance;
  instance.problem = {"",
                      make_objective("f", n, m, wishes),
                      make_objective("g", n, m,
                                     [map, weights](auto x, auto y) {
                                       auto total =
                                           0.25 * square(square(y[0] - map(x, 0)) + square(y[1] - map(x, 1)) - 1);
                                       for (Index j = 2; j < y.size(); ++j) {
                                         total += 0.5 * weights[j] * square(y[j] - map(x, j));
                                       }
                                       return total;
                                     }),
                      draw.normal(n),
                      draw.normal(m),
                      {}};
  instance.variant = bent ? "circle, bent" : "circle";
  instance.game = std::make_shared<RingGame>(wishes, map);
  instance.several_solutions = true;
  return instance;
}

Instance plane(Draw& draw) {
  const Index n = draw.size(), m = draw.size(2), flat = draw.between(1, std::min<Index>(3, m - 1));
  const SmoothMap map = SmoothMap::draw(draw, m, n, false);
  const Eigen::MatrixXd Q = draw.rotation(m);
  Vec spectrum = draw.uniform_vector(m, 0.1, 1);
  spectrum.tail(flat).setZero();
  const Eigen::MatrixXd H = Q * spectrum.asDiagonal() * Q.transpose();
  const Wishes wishes = draw_wishes(draw, n, m, draw.uniform(0.1, 1));
  Instance instance;
  instance.problem = {"",
                      make_objective("f", n, m, wishes),
                      std::make_shared<Quadratic>(
                          "g", n, m, QuadraticCoefficients{.yy = H, .yx = -H * map.matrix, .y = -H * map.offset}),
                      draw.normal(n),
                      draw.normal(m),
                      {}};
  instance.variant = "a flat space of dimension " + std::to_string(flat);
  instance.game = std::make_shared<PlaneGame>(wishes, map, Q.rightCols(flat));
  return instance;
}

}  // namespace

Instance manifold(Draw& draw) { return draw.chance(0.5) ? ring(draw) : plane(draw); }

}  // namespace bilevel::robust
