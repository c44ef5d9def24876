#include "bilevel/morse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "bilevel/random.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

MorseSample sample_of(const Vec& x, const CriticalPoints& found) {
  MorseSample sample{.x = x,
                     .critical_points = static_cast<Index>(found.points.size()),
                     .minimisers = found.count(CriticalKind::minimiser),
                     .degenerate = found.count(CriticalKind::degenerate),
                     .smallest = kNone};
  for (const CriticalPoint& point : found.points) {
    sample.smallest = std::min(sample.smallest, std::abs(point.smallest));
  }
  return sample;
}

bool is_failure(BranchEventKind kind) {
  return kind == BranchEventKind::fold || kind == BranchEventKind::pitchfork || kind == BranchEventKind::degenerate ||
         kind == BranchEventKind::escape;
}

class MorseJudge {
 public:
  MorseJudge(const Objective& lower, const Box& box_x, const Box& box_y, const MorseOptions& options,
             const Objective* upper)
      : lower_(lower), box_x_(box_x), box_y_(box_y), options_(options), upper_(upper) {
    report_.distance_to_singularity = kNone;
  }

  MorseReport run() {
    if (box_x_.dim() == 1) {
      follow({box_x_.low, box_x_.high});
    } else {
      look_at_leaders();
    }
    measure_distance();
    judge();
    return std::move(report_);
  }

 private:
  void follow(const LeaderLine& line) {
    BranchMap map = follow_branches(lower_, line, box_y_, options_.branches, upper_);
    for (std::size_t k = 0; k < map.samples.size(); ++k) add(line.at(map.sample_ts[k]), map.samples[k]);
    for (const BranchEvent& event : map.events) {
      if (is_failure(event.kind)) report_.failures.push_back(event);
      if (event.kind == BranchEventKind::escape) report_.bounded = false;
      if (event.kind == BranchEventKind::leaves_box) ++left_box_;
      if (event.kind == BranchEventKind::stalled) ++stalled_;
    }
    if (!map.complete) ++incomplete_;
    report_.maps.push_back(std::move(map));
  }

  void add(const Vec& x, const CriticalPoints& found) {
    report_.samples.push_back(sample_of(x, found));
    if (!found.settled) ++unsettled_;
    for (const CriticalPoint& point : found.points) {
      const double size = std::max(1.0, point.eigenvalues.cwiseAbs().maxCoeff());
      report_.distance_to_singularity = std::min(report_.distance_to_singularity, std::abs(point.smallest) / size);
    }
  }

  /// n > 1: lines go between leaders with different counts first, for there something must happen in between.
  void look_at_leaders() {
    Random random(options_.branches.search.seed);
    std::vector<Vec> leaders;
    for (Index k = 0; k < options_.samples; ++k) {
      Vec x(box_x_.dim());
      for (Index i = 0; i < x.size(); ++i) x[i] = box_x_.low[i] + random.uniform() * (box_x_.high[i] - box_x_.low[i]);
      add(x, find_critical_points(lower_, x, box_y_, options_.branches.search, upper_));
      leaders.push_back(std::move(x));
    }
    const std::vector<MorseSample> seen = report_.samples;
    const auto counts = [&](std::size_t k) { return std::pair(seen[k].critical_points, seen[k].minimisers); };
    std::vector<std::pair<std::size_t, std::size_t>> different, equal;
    for (std::size_t i = 0; i + 1 < leaders.size(); ++i) {
      (counts(i) == counts(i + 1) ? equal : different).emplace_back(i, i + 1);
    }
    different.insert(different.end(), equal.begin(), equal.end());
    const auto lines = std::min(different.size(), static_cast<std::size_t>(options_.lines));
    for (std::size_t k = 0; k < lines; ++k) follow({leaders[different[k].first], leaders[different[k].second]});
  }

  void measure_distance() {
    double& least = report_.distance_to_singularity;
    for (const BranchMap& map : report_.maps) {
      for (const Branch& branch : map.branches) {
        for (const BranchPoint& point : branch.points) {
          least = std::min(least, std::abs(point.smallest) / std::max(1.0, point.largest));
        }
      }
    }
    const auto singular = [](const BranchEvent& event) { return event.kind != BranchEventKind::escape; };
    if (std::any_of(report_.failures.begin(), report_.failures.end(), singular)) least = 0;
  }

  Index count_samples(bool (*holds)(const MorseSample&)) const {
    return std::count_if(report_.samples.begin(), report_.samples.end(), holds);
  }

  /// "3 critical points, 2 of them minimisers" for each pair of counts that was seen.
  std::string counts_seen() {
    std::set<std::pair<Index, Index>> seen;
    for (const MorseSample& sample : report_.samples) seen.insert({sample.critical_points, sample.minimisers});
    std::vector<std::string> texts;
    for (const auto& [points, minimisers] : seen) {
      texts.push_back(fmt::format("{} critical points with {} minimisers among them", points, minimisers));
    }
    different_counts_ = seen.size() > 1;
    return fmt::format("{}", fmt::join(texts, ", or "));
  }

  void judge() {
    auto& evidence = report_.evidence;
    const auto leaders = static_cast<Index>(report_.samples.size());
    const Index degenerate = count_samples([](const MorseSample& sample) { return sample.degenerate > 0; });
    const Index empty = count_samples([](const MorseSample& sample) { return sample.critical_points == 0; });
    evidence.push_back(fmt::format("At {} leaders {} were found.", leaders, counts_seen()));
    if (degenerate > 0) {
      evidence.push_back(fmt::format("At {} of them H is singular at a critical point, to a tolerance of {:.1g}.",
                                     degenerate, options_.branches.search.degenerate_tolerance));
    }
    for (const BranchEvent& event : report_.failures) evidence.push_back(event.text);
    if (report_.distance_to_singularity < kNone) {
      evidence.push_back(
          fmt::format("The least |eigenvalue| / max(1, |H|) over everything that was looked at is {:.3g}.",
                      report_.distance_to_singularity));
    }
    if (!report_.bounded) {
      evidence.push_back("A branch goes to infinity at a finite leader: the critical sets are not locally bounded.");
    }
    if (box_x_.dim() > 1) {
      evidence.push_back(fmt::format(
          "Branches were followed on {} lines between random leaders; what happens off these lines was not looked at.",
          report_.maps.size()));
    }
    report_.verdict = verdict(leaders, degenerate, empty);
  }

  MorseVerdict verdict(Index leaders, Index degenerate, Index empty) {
    auto& evidence = report_.evidence;
    if (degenerate == leaders) {
      evidence.push_back("H is singular at a critical point of every leader that was looked at.");
      return MorseVerdict::fails;
    }
    if (empty == leaders && report_.failures.empty() && unsettled_ == 0) {
      evidence.push_back("No leader that was looked at has a critical point in the box of y.");
      return MorseVerdict::fails;
    }
    if (!report_.failures.empty()) return MorseVerdict::piecewise;
    if (degenerate > 0) {
      evidence.push_back("No line that was followed explains the singular H at these leaders.");
      return MorseVerdict::piecewise;
    }
    Index doubts = 0;
    const auto doubt = [&](bool applies, std::string text) {
      if (!applies) return;
      ++doubts;
      evidence.push_back(std::move(text));
    };
    doubt(left_box_ > 0,
          fmt::format("{} branches leave the box of y, so counts in it say nothing: take a larger box.", left_box_));
    doubt(stalled_ > 0, fmt::format("{} branches could not be followed to their end.", stalled_));
    doubt(unsettled_ > 0,
          fmt::format("{} of {} searches for critical points had not settled: more starts may find more.", unsettled_,
                      leaders));
    doubt(incomplete_ > 0 && unsettled_ == 0,
          fmt::format("On {} lines critical points were left that lie on no branch.", incomplete_));
    doubt(different_counts_ && left_box_ == 0,
          "The counts differ between leaders, though no line that was followed meets a singular point: a branch enters "
          "or leaves the box of y, or fails off these lines.");
    return doubts > 0 ? MorseVerdict::undecided : MorseVerdict::holds_on_the_samples;
  }

  const Objective& lower_;
  const Box& box_x_;
  const Box& box_y_;
  const MorseOptions& options_;
  const Objective* upper_;
  MorseReport report_;
  Index left_box_ = 0, stalled_ = 0, unsettled_ = 0, incomplete_ = 0;
  bool different_counts_ = false;
};

}  // namespace

std::string_view to_string(MorseVerdict verdict) {
  switch (verdict) {
    case MorseVerdict::holds_on_the_samples: return "holds on the samples";
    case MorseVerdict::piecewise: return "piecewise";
    case MorseVerdict::fails: return "fails";
    case MorseVerdict::undecided: return "undecided";
  }
  return "unknown";
}

MorseReport judge_morse(const Objective& lower, const Box& box_x, const Box& box_y, const MorseOptions& options,
                        const Objective* upper) {
  const auto require = [](bool allowed, const char* name, Index value, const char* range) {
    if (!allowed) throw InvalidOption(fmt::format("judging Morse has {} = {}, but it must be {}", name, value, range));
  };
  require(options.samples >= 2 && options.samples <= 100'000, "samples", options.samples, "between 2 and 100000");
  require(options.lines >= 0 && options.lines <= 100'000, "lines", options.lines, "between 0 and 100000");
  box_x.validate(lower.dim_x(), "the box of x");
  if (lower.dim_x() == 0) {
    throw InvalidInput(fmt::format("judging Morse needs a leader, but '{}' has no leader variables", lower.name()));
  }
  return MorseJudge(lower, box_x, box_y, options, upper).run();
}

}  // namespace bilevel
