// The directions that a minibatch method gives its leader while the leader is held, and their statistics.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bilevel/registry.hpp"
#include "bilevel/stochastic.hpp"
#include "bilevel/unibio.hpp"

namespace bilevel::testing {

using Settings = std::map<std::string, std::string>;

/// One direction a call: what one iteration subtracts from x, before step size and schedule. x is put back before
/// every iteration, while the follower, the adjoint, memories and momenta go on as in a run. Of UniBiO it is the
/// momentum m, before it is normalised.
///
/// The leader's step is short enough not to matter even within an iteration, unless `settings` give one: BOME's also
/// moves the follower. Schedules stand still at round `round`, so that there is a mean to measure.
class HeldLeader {
 public:
  HeldLeader(const BilevelProblem& problem, const std::string& name, Settings settings, Vec x, Vec y, Index round = 1)
      : problem_(problem), x_(std::move(x)) {
    constexpr double kStep = 1e-6;  // of x = 1 and |h| = 1 rounding leaves ten digits
    settings.emplace("outer-step-size", std::to_string(kStep));
    gamma_ = std::stod(settings["outer-step-size"]);
    settings.emplace("iterations-per-round", "1");
    method_ = make_method(name, settings);
    state_ = method_->init(problem);
    state_->y = std::move(y);
    // SRBA and VRBO count iterations to their next refresh, UniBiO to the follower's next answer; they have no
    // schedules.
    if (name != "srba" && name != "vrbo" && name != "unibio") held_k_ = round - 1;
    const auto t = static_cast<double>(round);
    if (name == "ttsa") gamma_ *= std::pow(t, -3.0 / 5);
    if (name == "sustain" || name == "mrbo") gamma_ *= std::pow(t, -1.0 / 3);
  }

  Vec operator()() {
    state_->x = x_;
    if (held_k_ >= 0) dynamic_cast<StochasticMethod::State&>(*state_).k = held_k_;
    const auto report = method_->step(problem_, *state_);
    if (report.status != Status::converged) {
      throw std::runtime_error(std::string(method_->name()) + ": " + report.message);
    }
    if (const auto* unibio = dynamic_cast<const Unibio::State*>(state_.get())) return unibio->momentum;
    return (x_ - state_->x) / gamma_;
  }

  OuterMethod::State& state() { return *state_; }

 private:
  const BilevelProblem& problem_;
  Vec x_;
  std::unique_ptr<OuterMethod> method_;
  std::unique_ptr<OuterMethod::State> state_;
  double gamma_ = 0;
  Index held_k_ = -1;
};

/// Of directions h in R^n.
struct DirectionStatistics {
  Vec mean;
  double error = 0;      // root mean square of |mean - E mean|
  double deviation = 0;  // root mean square of |h - mean|
};

/// Directions follow each other with memory, so the error comes from the means of blocks, which must be longer than
/// that memory.
template <class Draw>
DirectionStatistics direction_statistics(Draw&& draw, Index blocks, Index block_length) {
  std::vector<Vec> means;
  double squares = 0;
  for (Index block = 0; block < blocks; ++block) {
    Vec sum;
    for (Index i = 0; i < block_length; ++i) {
      const Vec h = draw();
      if (i == 0) sum = Vec::Zero(h.size());
      sum += h;
      squares += h.squaredNorm();
    }
    means.push_back(sum / static_cast<double>(block_length));
  }
  const auto count = static_cast<double>(blocks);
  DirectionStatistics result;
  result.mean = Vec::Zero(means.front().size());
  for (const Vec& mean : means) result.mean += mean / count;
  double spread = 0;
  for (const Vec& mean : means) spread += (mean - result.mean).squaredNorm();
  result.error = std::sqrt(spread / (count * (count - 1)));
  const double mean_square = squares / (count * static_cast<double>(block_length));
  result.deviation = std::sqrt(std::max(0.0, mean_square - result.mean.squaredNorm()));
  return result;
}

}  // namespace bilevel::testing
