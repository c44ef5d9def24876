#include "solve/race_judge.hpp"

#include <utility>

#include "bilevel/lower.hpp"

namespace bilevel {

bool RaceJudge::is_start(const RaceMoment& moment) const {
  return moment.x == race_.problem.x0 && moment.y == race_.problem.y0;
}

Vec RaceJudge::answer(const Vec& x, const Vec& y) const {
  const auto& lower = *race_.problem.lower;
  const bool last_is_nearer = race_.unique_answer && last_ && lower.value(x, last_->answer) < lower.value(x, y);
  const LowerSolver::Options options{
      .tolerance = lower.attainable(options_.lower_tolerance), .max_iterations = 1000, .interrupt = options_.interrupt};
  return Lbfgs().solve(lower, x, last_is_nearer ? last_->answer : y, options).y;
}

const RaceJudge::Reading& RaceJudge::read(const RaceMoment& moment) {
  const bool start = is_start(moment);
  if (start && start_) last_ = start_;
  if (last_ && last_->x == moment.x && last_->y == moment.y) return *last_;
  Reading reading{.x = moment.x, .y = moment.y, .answer = answer(moment.x, moment.y), .scores = {}};
  reading.value = race_.problem.upper->value(reading.x, reading.answer);
  if (race_.scores) reading.scores = race_.scores(reading.x, reading.answer);
  last_ = std::move(reading);
  if (start) start_ = last_;
  return *last_;
}

}  // namespace bilevel
