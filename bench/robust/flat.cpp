// Followers whose curvature vanishes at their answer: g = sum_j c_j (y_j - s_j(x))^(p_j) with p_j 4, 6 or 8.
#include "bilevel/autodiff.hpp"
#include "smooth_map.hpp"

namespace bilevel::robust {

namespace {

class FlatGame final : public GameOfWishes {
 public:
  FlatGame(const Wishes& wishes, SmoothMap map) : GameOfWishes(wishes), map_(std::move(map)) {}
  std::optional<RealVec> answer(const RealVec& x, const RealVec&) const override { return map_.at(x); }
  RealMat slope(const RealVec& x, const RealVec&) const override { return map_.slope(x); }

 private:
  SmoothMap map_;
};

}  // namespace

Instance flat(Draw& draw) {
  const Index n = draw.size(), m = draw.size();
  const bool mixed = draw.chance(0.4), bent = draw.chance(0.3);
  const int power = 4 + 2 * static_cast<int>(draw.between(0, 2));
  std::vector<int> powers(static_cast<std::size_t>(m), power);
  if (mixed) {
    for (auto& p : powers) p = draw.chance(0.5) ? 2 : 4 + 2 * static_cast<int>(draw.between(0, 2));
    powers[0] = power;
  }
  const Vec weights = draw.uniform_vector(m, 0.3, 3);
  const SmoothMap map = SmoothMap::draw(draw, m, n, bent);
  const Wishes wishes = draw_wishes(draw, n, m, draw.uniform(0.1, 1));
  Instance instance;
  instance.problem = {"",
                      make_objective("f", n, m, wishes),
                      make_objective("g", n, m,
                                     [map, weights, powers](auto x, auto y) {
                                       decltype(y[0]) total = 0;
                                       for (Index j = 0; j < y.size(); ++j) {
                                         total +=
                                             weights[j] * pow(y[j] - map(x, j), powers[static_cast<std::size_t>(j)]);
                                       }
                                       return total;
                                     }),
                      draw.normal(n),
                      draw.normal(m),
                      {}};
  instance.variant = (mixed ? "powers 2 to 8, first " : "power ") + std::to_string(power) + (bent ? ", bent" : "");
  instance.game = std::make_shared<FlatGame>(wishes, map);
  instance.several_solutions = bent;
  // Where g_y falls like the seventh power of the error, three digits of y are 21 of g_y.
  instance.answer_tolerance = 1e-3;
  return instance;
}

}  // namespace bilevel::robust
