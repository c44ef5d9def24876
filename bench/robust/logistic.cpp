// Logistic regression with a penalty exp(x_q) for each feature, chosen on validation rows.
#include <cmath>

#include "bilevel/autodiff.hpp"
#include "instance.hpp"

namespace bilevel::robust {

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Real soft(Real a) { return (a > 0 ? a : 0) + std::log1p(std::exp(-std::abs(a))); }
Real sigmoid_of(Real a) { return 1 / (1 + std::exp(-a)); }

/// Rows are features times the label +-1, so that a row's loss is log(1 + exp(-row y)).
class LogisticGame final : public NewtonGame {
 public:
  LogisticGame(const Rows& train, const Rows& valid, double share)
      : train_(train.cast<Real>()), valid_(valid.cast<Real>()), share_(share) {}

  Lower lower(const RealVec& x, const RealVec& y) const override {
    const RealVec margin = train_ * y, penalty = x.array().exp().matrix();
    const RealVec missing = margin.unaryExpr([](Real a) { return sigmoid_of(-a); });
    return {share_ * margin.unaryExpr([](Real a) { return soft(-a); }).sum() +
                (penalty.array() * y.array().square()).sum() / 2,
            -share_ * (train_.transpose() * missing) + penalty.cwiseProduct(y)};
  }
  RealMat hessian(const RealVec& x, const RealVec& y) const override {
    const RealVec root = (train_ * y).unaryExpr([](Real a) { return std::sqrt(sigmoid_of(-a) * sigmoid_of(a)); });
    RealMat result = RealMat::Zero(y.size(), y.size());
    result.selfadjointView<Eigen::Lower>().rankUpdate(train_.transpose() * root.asDiagonal(), share_);
    result.diagonal() += x.array().exp().matrix();
    return result;
  }
  RealMat cross(const RealVec& x, const RealVec& y) const override {
    return (x.array().exp() * y.array()).matrix().asDiagonal();
  }
  Curvature curvature(const RealVec& x, const RealVec& y, const RealVec& w) const override {
    const auto bend = [](Real a) { return sigmoid_of(a) * sigmoid_of(-a); };
    const RealVec margin = train_ * y, penalty = x.array().exp().matrix();
    // The third derivative of log(1 + exp(-a)) is its second times sigmoid(-a) - sigmoid(a).
    const RealVec third = margin.unaryExpr([&](Real a) { return bend(a) * (sigmoid_of(-a) - sigmoid_of(a)); });
    const RealVec second = (valid_ * y).unaryExpr(bend) / static_cast<Real>(valid_.rows());
    const RealVec along = share_ * (train_ * w).cwiseProduct(third);
    return {(-penalty.array() * w.array() * y.array()).matrix().asDiagonal(),
            (-penalty.array() * w.array()).matrix().asDiagonal(),
            valid_.transpose() * (second.asDiagonal() * valid_) - train_.transpose() * (along.asDiagonal() * train_)};
  }
  Real upper(const RealVec&, const RealVec& y) const override {
    return (valid_ * y).unaryExpr([](Real a) { return soft(-a); }).sum() / static_cast<Real>(valid_.rows());
  }
  Gradients upper_gradients(const RealVec& x, const RealVec& y) const override {
    const RealVec missing = (valid_ * y).unaryExpr([](Real a) { return sigmoid_of(-a); });
    return {RealVec::Zero(x.size()), -(valid_.transpose() * missing) / static_cast<Real>(valid_.rows())};
  }

 private:
  RealMat train_, valid_;
  Real share_;
};

Rows draw_rows(Draw& draw, Index count, const Vec& truth) {
  Rows rows = draw.normal(count, truth.size());
  for (Index i = 0; i < count; ++i) {
    const bool positive = draw.chance(1 / (1 + std::exp(-rows.row(i).dot(truth))));
    if (!positive) rows.row(i) *= -1;
  }
  return rows;
}

}  // namespace

Instance logistic(Draw& draw) {
  const Index m = draw.size();
  const Vec truth = draw.normal(m, 1.5 / std::sqrt(static_cast<double>(m)));
  // Enough rows that no plane separates them: the follower has an answer without a penalty too.
  const Rows train = draw_rows(draw, 5 * m + draw.between(10, 40), truth);
  const Rows valid = draw_rows(draw, draw.between(20, 120), truth);
  const bool means = draw.chance(0.5);
  const double share = means ? 1 / static_cast<double>(train.rows()) : 1;

  const auto losses = [](const auto& rows, const auto& y) {
    std::vector<std::decay_t<decltype(y[0])>> terms;
    terms.reserve(static_cast<std::size_t>(rows.rows()));
    for (Index i = 0; i < rows.rows(); ++i) {
      terms.push_back(softplus(-dot(autodiff::fixed(rows.row(i).data(), rows.cols()), y)));
    }
    return sum(terms);
  };
  Instance instance;
  instance.problem = {
      "",
      make_objective("f", m, m,
                     [valid, losses](auto, auto y) { return losses(valid, y) / static_cast<double>(valid.rows()); }),
      make_objective("g", m, m,
                     [train, share, losses](auto x, auto y) {
                       auto total = share * losses(train, y);
                       for (Index q = 0; q < y.size(); ++q) total += 0.5 * exp(x[q]) * y[q] * y[q];
                       return total;
                     }),
      draw.chance(0.5) ? Vec::Zero(m).eval() : draw.uniform_vector(m, -4, 2),
      Vec::Zero(m),
      {}};
  instance.variant = means ? "means" : "sums";
  instance.game = std::make_shared<LogisticGame>(train, valid, share);
  instance.several_solutions = true;
  return instance;
}

}  // namespace bilevel::robust
