// Leaders with many minima, saddles and maxima over a follower that answers A x + b.
#include <cmath>

#include "bilevel/autodiff.hpp"
#include "bilevel/quadratic.hpp"
#include "smooth_map.hpp"

namespace bilevel::robust {

namespace {

/// f = pull |x - a|^2 / 2 + sum_j h(y_j) with h(t) = cos(frequency t) / frequency, or (t^2 - 1)^2 / 4.
struct Hills {
  double pull = 0, frequency = 0;  // 0: wells
  Vec centre;

  template <typename View>
  auto operator()(const View& x, const View& y) const {
    decltype(x[0] + y[0]) total = 0;
    for (Index i = 0; i < x.size(); ++i) total += 0.5 * pull * (x[i] - centre[i]) * (x[i] - centre[i]);
    for (Index j = 0; j < y.size(); ++j) {
      if (frequency > 0) {
        total += cos(frequency * y[j]) / frequency;
      } else {
        total += 0.25 * (y[j] * y[j] - 1) * (y[j] * y[j] - 1);
      }
    }
    return total;
  }
};

class HillsGame final : public ExactGame {
 public:
  HillsGame(Hills hills, SmoothMap map) : hills_(std::move(hills)), map_(std::move(map)) {}
  std::optional<RealVec> answer(const RealVec& x, const RealVec&) const override { return map_.at(x); }
  RealMat slope(const RealVec& x, const RealVec&) const override { return map_.slope(x); }
  Real upper(const RealVec& x, const RealVec& y) const override {
    const Real frequency = hills_.frequency;
    const Real height =
        frequency > 0 ? (frequency * y.array()).cos().sum() / frequency : (y.array().square() - 1).square().sum() / 4;
    return Real(hills_.pull) * (x - extended(hills_.centre)).squaredNorm() / 2 + height;
  }
  Gradients upper_gradients(const RealVec& x, const RealVec& y) const override {
    const Real frequency = hills_.frequency;
    RealVec f_y = frequency > 0 ? (-(frequency * y.array()).sin()).matrix().eval()
                                : (y.array() * (y.array().square() - 1)).matrix().eval();
    return {Real(hills_.pull) * (x - extended(hills_.centre)), std::move(f_y)};
  }

 private:
  Hills hills_;
  SmoothMap map_;
};

}  // namespace

Instance hills(Draw& draw) {
  const Index n = draw.size(), m = draw.size();
  const bool top = draw.chance(0.2);  // start where phi is stationary and highest
  SmoothMap map = SmoothMap::draw(draw, m, n, false);
  Hills form{.pull = draw.log_uniform(0.01, 0.3), .frequency = draw.chance(0.5) ? draw.uniform(1, 4) : 0, .centre = {}};
  form.centre = draw.normal(n);
  Vec x0 = draw.normal(n, 1.5), y0 = draw.normal(m);
  if (top) {
    map.offset.setZero();
    form.centre.setZero();
    x0.setZero();
    if (draw.chance(0.5)) y0.setZero();
  }
  const Eigen::MatrixXd Q = draw.rotation(m);
  const Eigen::MatrixXd H = Q * draw.spectrum(m, draw.log_uniform(1, 1e4)).asDiagonal() * Q.transpose();
  Instance instance;
  instance.problem = {"",
                      make_objective("f", n, m, form),
                      std::make_shared<Quadratic>(
                          "g", n, m, QuadraticCoefficients{.yy = H, .yx = -H * map.matrix, .y = -H * map.offset}),
                      x0,
                      y0,
                      {}};
  instance.variant = std::string(form.frequency > 0 ? "cosines" : "wells") + (top ? ", start on the top" : "");
  instance.game = std::make_shared<HillsGame>(form, map);
  instance.several_solutions = true;
  return instance;
}

}  // namespace bilevel::robust
