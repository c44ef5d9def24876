// The one who solves the follower again and reads f, whatever the methods believe.
#pragma once

#include <optional>
#include <vector>

#include "bilevel/race.hpp"

namespace bilevel {

/// A pair as it was at one moment, to be judged later.
struct RaceMoment {
  double seconds = 0, passes = 0;
  Index iteration = 0;
  Vec x, y;
};

class RaceJudge {
 public:
  /// What is said of one pair.
  struct Reading {
    Vec x, y;                    // the pair as it was given
    Vec answer;                  // y(x)
    double value = 0;            // phi(x) = f(x, y(x)); NaN where the follower has no answer
    std::vector<double> scores;  // as RaceProblem::scores
  };

  /// Both must outlive the judge.
  RaceJudge(const RaceProblem& race, const RaceOptions& options) : race_(race), options_(options) {}

  /// Valid until the next call. After an interrupt the follower may not be solved, and the reading says nothing.
  const Reading& read(const RaceMoment& moment);

 private:
  struct Answer {
    Vec y;
    bool settled;  // false: the follower has no answer to this x that could be found
  };
  Answer answer(const Vec& x, const Vec& y) const;
  bool is_start(const RaceMoment& moment) const;

  const RaceProblem& race_;
  const RaceOptions& options_;
  std::optional<Reading> start_;  // of x0, y0, where every method begins
  std::optional<Reading> last_;   // a method whose best pair stays the same is read once
};

}  // namespace bilevel
