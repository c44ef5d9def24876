// Least squares with one penalty, chosen on validation rows. Sums of squares unless the variant says means.
#include <algorithm>
#include <array>
#include <cmath>

#include <Eigen/Eigenvalues>

#include "bilevel/autodiff.hpp"
#include "instance.hpp"

namespace bilevel::robust {

namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Table {
  Rows rows;
  Vec targets;
};

/// The follower fits g = share |A y - b|^2 + penalty(x) |y|^2 with penalty exp(x), or x / 2 ("raw").
class RidgeGame final : public ExactGame {
 public:
  RidgeGame(const Table& train, const Table& valid, double share, bool raw)
      : valid_(valid.rows.cast<Real>()), targets_(extended(valid.targets)), raw_(raw) {
    const RealMat rows = train.rows.cast<Real>();
    const Eigen::SelfAdjointEigenSolver<RealMat> eigen(2 * Real(share) * rows.transpose() * rows);
    values_ = eigen.eigenvalues();
    vectors_ = eigen.eigenvectors();
    right_ = vectors_.transpose() * (2 * Real(share) * rows.transpose() * extended(train.targets));
  }

  std::optional<RealVec> answer(const RealVec& x, const RealVec&) const override {
    const RealVec shifted = shift(x);
    if (!shifted.allFinite() || shifted.minCoeff() <= 0) return std::nullopt;
    return vectors_ * right_.cwiseQuotient(shifted);
  }
  RealMat slope(const RealVec& x, const RealVec&) const override {
    const RealVec shifted = shift(x);
    const Real growth = raw_ ? 1 : 2 * std::exp(x[0]);
    return vectors_ * (-growth * right_.array() / shifted.array().square()).matrix();
  }
  Real upper(const RealVec&, const RealVec& y) const override { return (valid_ * y - targets_).squaredNorm(); }
  Gradients upper_gradients(const RealVec&, const RealVec& y) const override {
    return {RealVec::Zero(1), 2 * valid_.transpose() * (valid_ * y - targets_)};
  }

 private:
  RealVec shift(const RealVec& x) const { return (values_.array() + (raw_ ? x[0] : 2 * std::exp(x[0]))).matrix(); }

  RealMat valid_, vectors_;
  RealVec targets_, values_, right_;
  bool raw_;
};

Table draw_rows(Draw& draw, Index count, const Vec& truth, const Vec& spread, double noise) {
  Table table{draw.normal(count, truth.size()) * spread.asDiagonal(), {}};
  table.targets = table.rows * truth + draw.normal(count, noise);
  return table;
}

std::shared_ptr<const Objective> squares(const std::string& name, const Table& table, double share, int penalty) {
  return make_objective(name, 1, table.rows.cols(), [table, share, penalty](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < table.rows.rows(); ++i) {
      total += share * square(dot(autodiff::fixed(table.rows.row(i).data(), table.rows.cols()), y) - table.targets[i]);
    }
    if (penalty == 1) total += exp(x[0]) * squared_norm(y);
    if (penalty == 2) total += 0.5 * x[0] * squared_norm(y);
    return total;
  });
}

}  // namespace

Instance ridge(Draw& draw) {
  const Index m = draw.size();
  const bool raw = draw.chance(0.4), means = draw.chance(0.3);
  // With fewer rows than features a raw penalty ends at 0, often with phi still falling: no solution.
  const Index training = draw.between(raw ? std::max<Index>(12, m + 2) : 12, 80), validation = draw.between(12, 80);
  const double noise = draw.log_uniform(0.1, 3);
  const Vec truth = draw.normal(m);
  Vec spread(m);
  for (auto& entry : spread) entry = draw.log_uniform(0.3, 3);
  const Table train = draw_rows(draw, training, truth, spread, noise);
  const Table valid = draw_rows(draw, validation, truth, spread, noise);
  const double share = means ? 1 / static_cast<double>(training) : 1;
  constexpr std::array<double, 3> kRaw{0.1, 1, 100}, kExponential{-5, 0, 6};
  const auto which = static_cast<std::size_t>(draw.between(0, 2));

  Instance instance;
  instance.problem = {"",
                      squares("f", valid, 1, 0),
                      squares("g", train, share, raw ? 2 : 1),
                      Vec::Constant(1, raw ? kRaw[which] : kExponential[which]),
                      Vec::Zero(m),
                      {}};
  instance.variant = std::string(raw ? "raw penalty" : "penalty exp(x)") + (means ? ", means" : ", sums");
  instance.game = std::make_shared<RidgeGame>(train, valid, share, raw);
  instance.several_solutions = true;
  instance.reach = raw ? 1e6 : 12;
  return instance;
}

}  // namespace bilevel::robust
