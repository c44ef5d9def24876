// Followers g = log sum_k exp(a_k'y + b_k'x + c_k) + eps |y|^2 / 2.
#include <cmath>

#include "bilevel/autodiff.hpp"
#include "smooth_map.hpp"

namespace bilevel::robust {

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Exponents {
  Rows y, x;  // a_k', b_k'
  Vec c;
  double eps = 0;
};

/// GameOfWishes' leader over a NewtonGame's follower.
class LogSumExpGame final : public NewtonGame {
 public:
  LogSumExpGame(const Wishes& wishes, const Exponents& given)
      : wishes_(wishes), A_(given.y.cast<Real>()), B_(given.x.cast<Real>()), c_(extended(given.c)), eps_(given.eps) {}

  Lower lower(const RealVec& x, const RealVec& y) const override {
    const RealVec exponents = A_ * y + B_ * x + c_;
    const Real largest = exponents.maxCoeff();
    const RealVec powers = (exponents.array() - largest).exp().matrix();
    return {largest + std::log(powers.sum()) + eps_ * y.squaredNorm() / 2,
            A_.transpose() * powers / powers.sum() + eps_ * y};
  }
  RealMat hessian(const RealVec& x, const RealVec& y) const override {
    const RealVec weights = shares(x, y);
    const RealVec mean = A_.transpose() * weights, root = weights.cwiseSqrt();
    RealMat result = RealMat::Zero(y.size(), y.size());
    result.selfadjointView<Eigen::Lower>().rankUpdate(A_.transpose() * root.asDiagonal());
    result.selfadjointView<Eigen::Lower>().rankUpdate(mean, Real(-1));
    result.diagonal().array() += eps_;
    return result;
  }
  RealMat cross(const RealVec& x, const RealVec& y) const override {
    const RealVec weights = shares(x, y);
    return A_.transpose() * (weights.asDiagonal() * B_) -
           (A_.transpose() * weights) * (B_.transpose() * weights).transpose();
  }
  Curvature curvature(const RealVec& x, const RealVec& y, const RealVec& w) const override {
    // w'g_y is the mean of A w under the shares; its second derivatives in the exponents are
    // diag(c) - c p' - p c' with c = p .* (A w - mean).
    const RealVec p = shares(x, y), along = A_ * w;
    const RealVec c = (p.array() * (along.array() - p.dot(along))).matrix();
    const RealVec A_p = A_.transpose() * p, A_c = A_.transpose() * c, B_p = B_.transpose() * p,
                  B_c = B_.transpose() * c;
    RealMat xx = -(B_.transpose() * (c.asDiagonal() * B_) - B_c * B_p.transpose() - B_p * B_c.transpose());
    RealMat yy = -(A_.transpose() * (c.asDiagonal() * A_) - A_c * A_p.transpose() - A_p * A_c.transpose());
    xx.diagonal() += wishes_.leader();
    yy.diagonal() += wishes_.follower();
    return {std::move(xx), -(A_.transpose() * (c.asDiagonal() * B_) - A_c * B_p.transpose() - A_p * B_c.transpose()),
            std::move(yy)};
  }
  Real upper(const RealVec& x, const RealVec& y) const override { return wishes_.upper(x, y); }
  Gradients upper_gradients(const RealVec& x, const RealVec& y) const override { return wishes_.upper_gradients(x, y); }

 private:
  /// exp of each exponent over the sum of all.
  RealVec shares(const RealVec& x, const RealVec& y) const {
    const RealVec exponents = A_ * y + B_ * x + c_;
    const RealVec powers = (exponents.array() - exponents.maxCoeff()).exp().matrix();
    return powers / powers.sum();
  }

  struct Leader final : GameOfWishes {
    using GameOfWishes::GameOfWishes;
    std::optional<RealVec> answer(const RealVec&, const RealVec&) const override { return std::nullopt; }
    RealMat slope(const RealVec&, const RealVec&) const override { return {}; }
    const RealVec& leader() const { return leader_; }
    const RealVec& follower() const { return follower_; }
  };
  Leader wishes_;
  RealMat A_, B_;
  RealVec c_;
  Real eps_;
};

}  // namespace

Instance log_sum_exp_game(Draw& draw) {
  const Index n = draw.size(), m = draw.size();
  const Index count = m + draw.between(1, 2 * m + 2);
  const double steep = draw.log_uniform(0.5, 3) / std::sqrt(static_cast<double>(m));
  const Exponents given{draw.normal(count, m, steep), draw.normal(count, n, 1 / std::sqrt(static_cast<double>(n))),
                        draw.normal(count), draw.log_uniform(1e-3, 1)};
  const Wishes wishes = draw_wishes(draw, n, m, draw.log_uniform(0.01, 1));
  Instance instance;
  instance.problem = {
      "",
      make_objective("f", n, m, wishes),
      make_objective("g", n, m,
                     [given](auto x, auto y) {
                       std::vector<decltype(x[0] + y[0])> exponents;
                       for (Index k = 0; k < given.c.size(); ++k) {
                         exponents.push_back(dot(autodiff::fixed(given.y.row(k).data(), given.y.cols()), y) +
                                             dot(autodiff::fixed(given.x.row(k).data(), given.x.cols()), x) +
                                             given.c[k]);
                       }
                       return log_sum_exp(exponents) + 0.5 * given.eps * squared_norm(y);
                     }),
      draw.normal(n),
      draw.chance(0.5) ? Vec::Zero(m).eval() : draw.normal(m),
      {}};
  instance.variant = "eps " + std::to_string(given.eps);
  instance.game = std::make_shared<LogSumExpGame>(wishes, given);
  instance.several_solutions = true;
  return instance;
}

}  // namespace bilevel::robust
