// Each follower has two minima, y_j = +-sqrt(1 + tilt a_j'x), and starts where g bends upwards around one.
#include <cmath>

#include "bilevel/autodiff.hpp"
#include "smooth_map.hpp"

namespace bilevel::robust {

namespace {

constexpr double kTilt = 0.15;

class WellsGame final : public GameOfWishes {
 public:
  WellsGame(const Wishes& wishes, SmoothMap map) : GameOfWishes(wishes), map_(std::move(map)) {}

  std::optional<RealVec> answer(const RealVec& x, const RealVec& near) const override {
    RealVec square = map_.at(x);
    if (square.minCoeff() <= 0) return std::nullopt;  // the two have met
    for (Index j = 0; j < square.size(); ++j) square[j] = std::copysign(std::sqrt(square[j]), near[j]);
    return square;
  }
  RealMat slope(const RealVec& x, const RealVec& y) const override {
    return (2 * y).cwiseInverse().asDiagonal() * map_.slope(x);
  }
  bool same_branch(const RealVec& a, const RealVec& b) const override { return (a.array() * b.array() > 0).all(); }

 private:
  SmoothMap map_;
};

}  // namespace

Instance wells(Draw& draw) {
  const Index n = draw.size(), m = draw.size();
  const bool blunt = draw.chance(0.4);
  SmoothMap map = SmoothMap::draw(draw, m, n, false);
  map.matrix *= kTilt;
  map.offset = Vec::Ones(m);
  const Vec weights = draw.uniform_vector(m, 0.3, 3);
  Wishes wishes = draw_wishes(draw, n, m, 1);
  wishes.follower /= static_cast<double>(m);
  Vec y0 = draw.uniform_vector(m, 0.75, 1.5);
  for (auto& entry : y0) entry = draw.chance(0.5) ? entry : -entry;
  Instance instance;
  instance.problem = {"",
                      make_objective("f", n, m, wishes),
                      make_objective("g", n, m,
                                     [map, weights, blunt](auto x, auto y) {
                                       decltype(y[0]) total = 0;
                                       for (Index j = 0; j < y.size(); ++j) {
                                         const auto off = y[j] * y[j] - map(x, j);
                                         total += weights[j] * (blunt ? huber(off) : 0.25 * square(off));
                                       }
                                       return total;
                                     }),
                      draw.normal(n),
                      y0,
                      {}};
  instance.variant = blunt ? "huber" : "quartic";
  instance.game = std::make_shared<WellsGame>(wishes, map);
  instance.several_solutions = true;
  return instance;
}

}  // namespace bilevel::robust
