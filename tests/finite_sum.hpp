// A finite sum of quadratics whose mean is a problem with a solution in closed form.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "probes.hpp"

namespace bilevel::testing {

/// 1/N sum of the quadratics of `samples`.
class QuadraticSum final : public Objective {
 public:
  QuadraticSum(std::string name, Index dim_x, Index dim_y, std::vector<QuadraticCoefficients> samples)
      : Objective(std::move(name), dim_x, dim_y, samples.size()), samples_(std::move(samples)) {}

 private:
  class At final : public Linearization::Implementation {
   public:
    At(std::unique_ptr<const Quadratic> mean, Vec x, Vec y)
        : mean_(std::move(mean)), x_(std::move(x)), y_(std::move(y)) {}
    Vec hess_yy(const Vec& v) const override { return mean_->hess_yy(x_, y_, v); }
    Vec hess_xy(const Vec& v) const override { return mean_->hess_xy(x_, y_, v); }
    Vec hess_yx(const Vec& u) const override { return mean_->hess_yx(x_, y_, u); }

   private:
    std::unique_ptr<const Quadratic> mean_;
    Vec x_, y_;
  };

  std::unique_ptr<const Quadratic> mean(Batch batch) const {
    const Index n = dim_x(), m = dim_y();
    QuadraticCoefficients sum{.yy = Eigen::MatrixXd::Zero(m, m),
                              .yx = Eigen::MatrixXd::Zero(m, n),
                              .xx = Eigen::MatrixXd::Zero(n, n),
                              .x = Vec::Zero(n),
                              .y = Vec::Zero(m)};
    const double weight = 1 / static_cast<double>(batch.size(samples()));
    const auto add = [&](const QuadraticCoefficients& sample) {
      sum.yy += weight * sample.yy;
      sum.yx += weight * sample.yx;
      sum.xx += weight * sample.xx;
      sum.x += weight * sample.x;
      sum.y += weight * sample.y;
      sum.constant += weight * sample.constant;
    };
    if (batch.is_full()) {
      for (const auto& sample : samples_) add(sample);
    } else {
      for (const auto index : batch.indices()) add(samples_[index]);
    }
    return std::make_unique<Quadratic>("mean", n, m, std::move(sum));
  }

  OracleSet do_provides() const override { return OracleSet::all(); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    return mean(batch)->evaluate(want, x, y);
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto quadratic = mean(batch);
    evaluation = quadratic->evaluate(also, x, y);
    return std::make_unique<At>(std::move(quadratic), x, y);
  }

  std::vector<QuadraticCoefficients> samples_;
};

/// `count` (even) samples around the quadratic `mean`: each coefficient with normal noise of standard deviation `noise`
/// in every entry, in pairs of opposite signs, so that the mean is exact to rounding.
inline std::shared_ptr<const Objective> spread(const Objective& mean, std::size_t count, double noise,
                                               std::uint64_t seed) {
  const auto& centre = dynamic_cast<const Quadratic&>(mean).coefficients();
  const Index n = mean.dim_x(), m = mean.dim_y();
  Random random(seed);
  const auto normal = [&](Index rows, Index columns) {
    Eigen::MatrixXd drawn(rows, columns);
    for (double& entry : drawn.reshaped()) entry = noise * random.normal();
    return drawn;
  };
  std::vector<QuadraticCoefficients> samples;
  for (std::size_t pair = 0; pair < count / 2; ++pair) {
    const Eigen::MatrixXd yy = normal(m, m), yx = normal(m, n), xx = normal(n, n), x = normal(n, 1), y = normal(m, 1);
    for (const double sign : {1.0, -1.0}) {
      auto sample = centre;
      sample.yy += sign * (yy + yy.transpose()) / 2;
      sample.yx += sign * yx;
      sample.xx += sign * (xx + xx.transpose()) / 2;
      sample.x = (centre.x.size() > 0 ? centre.x : Vec::Zero(n)) + sign * x;
      sample.y = (centre.y.size() > 0 ? centre.y : Vec::Zero(m)) + sign * y;
      samples.push_back(std::move(sample));
    }
  }
  return std::make_shared<QuadraticSum>(mean.name() + " of samples", n, m, std::move(samples));
}

/// quadratic_problem(seed) with g the mean of 512 samples and f of 256, noise 0.5: on a batch of 64 the coefficients,
/// which are of size one, are off by 0.06.
inline BilevelProblem finite_sum_problem(std::uint64_t seed = 1) {
  auto problem = quadratic_problem(seed);
  problem.name = "finite sum";
  problem.lower = spread(*problem.lower, 512, 0.5, 10 * seed);
  problem.upper = spread(*problem.upper, 256, 0.5, 10 * seed + 1);
  return problem;
}

}  // namespace bilevel::testing
