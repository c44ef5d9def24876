#include "solve/race_judge.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "bilevel/lower.hpp"

namespace bilevel {

bool RaceJudge::is_start(const RaceMoment& moment) const {
  return moment.x == race_.problem.x0 && moment.y == race_.problem.y0;
}

RaceJudge::Answer RaceJudge::answer(const Vec& x, const Vec& y) const {
  constexpr double kSettled = 1e-3;
  const auto& lower = *race_.problem.lower;
  const bool last_is_nearer = race_.unique_answer && last_ && lower.value(x, last_->answer) < lower.value(x, y);
  const LowerSolver::Options options{
      .tolerance = lower.attainable(options_.lower_tolerance), .max_iterations = 1000, .interrupt = options_.interrupt};
  auto solved = Lbfgs().solve(lower, x, last_is_nearer ? last_->answer : y, options);
  // A follower that ran away, or was nowhere near an answer when the iterations ended, has none.
  const bool ended =
      solved.status == Status::converged || solved.status == Status::stagnated || solved.status == Status::interrupted;
  const bool settled =
      ended || (solved.status == Status::budget_reached && std::isfinite(solved.value) &&
                solved.residual <= kSettled * std::max(1.0, norm(lower.grad_y(race_.problem.x0, race_.problem.y0))));
  return {std::move(solved.y), settled};
}

const RaceJudge::Reading& RaceJudge::read(const RaceMoment& moment) {
  const bool start = is_start(moment);
  if (start && start_) last_ = start_;
  if (last_ && last_->x == moment.x && last_->y == moment.y) return *last_;
  auto [y, settled] = answer(moment.x, moment.y);
  Reading reading{.x = moment.x, .y = moment.y, .answer = std::move(y), .scores = {}};
  reading.value =
      settled ? race_.problem.upper->value(reading.x, reading.answer) : std::numeric_limits<double>::quiet_NaN();
  if (race_.scores) reading.scores = race_.scores(reading.x, reading.answer);
  last_ = std::move(reading);
  if (start) start_ = last_;
  return *last_;
}

}  // namespace bilevel
