#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bilevel/morse_bott.hpp"
#include "bilevel/status.hpp"
#include "diagnostics/morse_bott_place.hpp"

namespace bilevel {

namespace {

constexpr double kAccuracy = 1e-8;  // of t
// From one leader to the next y may move further than a sample's radius; a longer step leads to another branch.
constexpr double kReach = 0.2;

struct Signature {
  Index kernel = 0, negative = 0;
  bool operator==(const Signature&) const = default;
};

class Follower {
 public:
  Follower(const Objective& lower, const Vec& from, const Vec& to, const MorseBottOptions& options)
      : lower_(lower), from_(from), to_(to), options_(options) {}

  Vec leader(double t) const { return from_ + t * (to_ - from_); }

  /// Halves the interval between two leaders with different signatures until it is as short as the accuracy.
  KernelChange locate(const MorseBottSample& a, const MorseBottSample& b) const {
    double low = a.t, high = b.t;
    Vec y = a.at.y;
    const Signature before{*a.at.kernel_dimension, a.at.negative}, after{*b.at.kernel_dimension, b.at.negative};
    while (high - low > kAccuracy) {
      const double middle = 0.5 * (low + high);
      const auto place = critical_place(lower_, leader(middle), y, options_, kReach);
      if (!place.not_finite.empty() || !place.critical()) break;
      const Signature here{place.spectrum.kernel.cols(), place.negative};
      if (here == before) {
        low = middle;
        y = place.y;
      } else {
        high = middle;
      }
    }
    KernelChange change{.t = 0.5 * (low + high),
                        .accuracy = 0.5 * (high - low),
                        .x = leader(0.5 * (low + high)),
                        .before = before.kernel,
                        .after = after.kernel,
                        .at_least = 0,
                        .text = {}};
    // An eigenvalue that changes its sign vanishes in between.
    const Index crossing = std::abs(after.negative - before.negative);
    change.at_least = std::max({before.kernel, after.kernel, std::min(before.kernel, after.kernel) + crossing});
    change.text = fmt::format(
        "between t = {:.9g} and {:.9g} the kernel of H goes from dimension {} to {} and the number of its negative "
        "eigenvalues from {} to {}",
        low, high, before.kernel, after.kernel, before.negative, after.negative);
    return change;
  }

 private:
  const Objective& lower_;
  Vec from_, to_;
  const MorseBottOptions& options_;
};

void judge(MorseBottBranch& branch) {
  Index held = 0;
  for (const auto& sample : branch.samples) {
    if (sample.at.verdict == MorseBottVerdict::holds_on_the_samples) ++held;
    if (sample.at.verdict != MorseBottVerdict::fails || branch.verdict == MorseBottVerdict::fails) continue;
    branch.verdict = MorseBottVerdict::fails;
    branch.reason = fmt::format("at t = {:.6g} {}", sample.t, sample.at.reason);
  }
  if (branch.verdict == MorseBottVerdict::fails) return;
  if (!branch.changes.empty()) {
    branch.verdict = MorseBottVerdict::fails;
    branch.reason = branch.changes.front().text;
  } else if (branch.complete && held == static_cast<Index>(branch.samples.size())) {
    branch.verdict = MorseBottVerdict::holds_on_the_samples;
    branch.reason = fmt::format("it holds at all {} leaders", held);
  } else {
    branch.reason = branch.complete
                        ? fmt::format("at {} of {} leaders it is undecided",
                                      static_cast<Index>(branch.samples.size()) - held, branch.samples.size())
                        : fmt::format("the critical point was lost at t = {:.6g}: {}", branch.samples.back().t,
                                      branch.samples.back().at.reason);
  }
}

}  // namespace

MorseBottBranch morse_bott_along(const Objective& lower, const Vec& from, const Vec& to, const Vec& y, Index leaders,
                                 const MorseBottOptions& options) {
  check_morse_bott(lower, from, y, options);
  check_morse_bott(lower, to, y, options);
  if (leaders < 2) {
    throw InvalidOption(fmt::format("morse_bott_along's leaders is {}, but it must be at least 2", leaders));
  }
  const Follower follower(lower, from, to, options);
  MorseBottBranch branch;
  Vec last = y;
  std::optional<MorseBottSample> known;  // the last one whose rank is known
  for (Index k = 0; k < leaders; ++k) {
    const double t = static_cast<double>(k) / static_cast<double>(leaders - 1);
    const Vec x = follower.leader(t);
    // Beyond the size that morse_bott looks at, H is not formed here either.
    if (y.size() <= kMorseBottLimit) {
      const auto place = critical_place(lower, x, last, options, kReach);
      branch.complete = place.not_finite.empty() && place.critical();
      if (branch.complete) last = place.y;
    }
    MorseBottSample sample{.t = t, .x = x, .at = morse_bott(lower, x, last, options)};
    const bool ranked = sample.at.kernel_dimension.has_value();
    branch.samples.push_back(sample);
    if (!branch.complete) break;
    last = sample.at.y;
    if (!ranked) continue;
    const bool changed =
        known && (known->at.kernel_dimension != sample.at.kernel_dimension || known->at.negative != sample.at.negative);
    if (changed) branch.changes.push_back(follower.locate(*known, sample));
    known = sample;
  }
  judge(branch);
  return branch;
}

}  // namespace bilevel
