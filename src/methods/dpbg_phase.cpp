#include "methods/dpbg_phase.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bilevel {

std::string_view to_string(DpbgPhase phase) {
  switch (phase) {
    case DpbgPhase::transient: return "transient";
    case DpbgPhase::pseudo_stable: return "pseudo-stable";
    case DpbgPhase::sharpening: return "sharpening";
    case DpbgPhase::diverging: return "diverging";
  }
  return "unknown";
}

namespace {

constexpr double kEnter = 0.1, kLeave = 0.3;  // bounds of a plateau, apart so that a run on the edge does not flicker
constexpr double kFarStart = 4;
constexpr double kOtherAnswer = 0.5;     // of the unit: a jump that long in one step leads to another branch
constexpr double kFlat = 1e-5;           // |grad f| against the largest seen, below which it counts as zero
constexpr double kNoDerivative = 1e-14;  // |f_y| against |grad f|, below which c would be made of rounding

double unit_of(const Vec& y) { return norm(y) + std::sqrt(static_cast<double>(y.size())); }

/// The mean factor by which |g_y| fell per step of the path.
double mean_rate(const HypergradientResult& result, Index steps) {
  if (steps < 2 || !(result.first_lower_residual > 0)) return 1;
  return std::pow(result.lower_residual / result.first_lower_residual, 1.0 / static_cast<double>(steps - 1));
}

/// How much A^k contracts towards f's decrease; where f_y vanishes, how much the path itself did.
double contraction_of(const HypergradientResult& result, double upper_gradient, Index steps) {
  if (result.upper_y_norm > kNoDerivative * upper_gradient) return norm(result.adjoint) / result.upper_y_norm;
  return std::pow(mean_rate(result, steps), static_cast<double>(steps));
}

/// From A^k to the limit of a geometric path with the last move and the mean rate of this one.
double distance_to_limit(const HypergradientResult& result, double step_size, double rate) {
  if (result.lower_residual == 0) return 0;
  const double move = step_size * result.lower_residual;
  return rate < 1 ? move * rate / (1 - rate) : std::numeric_limits<double>::infinity();
}

DpbgPhase phase_of(const Dpbg::State& state, const HypergradientResult& result, const Vec& start) {
  const double c = state.contraction;
  if (c > 1) return DpbgPhase::sharpening;
  const double bound = state.current_plateau > 0 ? kLeave : kEnter;
  // One step has no rate of its own: c is its factor.
  const double rate = state.inner.steps < 2 ? c : mean_rate(result, state.inner.steps);
  const double distance = distance_to_limit(result, state.inner.step_size, rate);
  if (c <= bound && distance <= bound * unit_of(result.y)) return DpbgPhase::pseudo_stable;
  const double answer_distance = norm(result.y - start) + std::sqrt(static_cast<double>(start.size()));
  return state.start_distance > kFarStart * answer_distance ? DpbgPhase::diverging : DpbgPhase::transient;
}

void end_plateau(Dpbg::State& state) {
  if (state.current_plateau == 0) return;
  ++state.escapes;
  state.current_plateau = 0;
}

/// "y = 0.9998", "y = (1, 2)", or the norm where that would be long.
std::string named(const char* name, const Vec& v) {
  constexpr Index kListed = 4;
  if (v.size() > kListed) return fmt::format("|{}| = {:.4g}", name, norm(v));
  std::vector<std::string> entries;
  for (const double entry : v) entries.push_back(fmt::format("{:.4g}", entry));
  return entries.size() == 1 ? fmt::format("{} = {}", name, entries[0])
                             : fmt::format("{} = ({})", name, fmt::join(entries, ", "));
}

std::string counted(Index count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string plateau_sentence(const Dpbg::State& state) {
  if (state.plateaus == 0) return "no step was pseudo-stable";
  const std::string where =
      (state.plateau_x.size() > 0 ? named("x", state.plateau_x) + ", " : "") + named("y", state.plateau_y);
  std::string end = "then escaped";
  if (state.current_plateau == state.longest_plateau) {
    end = "where it still was at the end";
  }
  return fmt::format("stayed {} near {}, where the follower's steps contract, {} ({} in all)",
                     counted(state.longest_plateau, "step"), where, end, counted(state.plateaus, "plateau"));
}

std::string phase_sentence(const Dpbg::State& state) {
  std::string text;
  switch (state.phase) {
    case DpbgPhase::transient:
      text = fmt::format("transient at the end: moving the follower's start by 1 moves its answer by about {:.3g}",
                         state.contraction);
      break;
    case DpbgPhase::pseudo_stable:
      text = fmt::format(
          "pseudo-stable at the end: the follower's path contracts by {:.3g}, so the start hardly matters, but this is "
          "no rest: more steps, or fewer inner steps, may escape",
          state.contraction);
      break;
    case DpbgPhase::sharpening:
      text = fmt::format(
          "sharpening at the end: the follower's path expands by {:.3g}, it passes a point that repels the follower",
          state.contraction);
      break;
    case DpbgPhase::diverging:
      text = fmt::format(
          "diverging at the end: the follower's start is {:.4g} from where it began while its answer "
          "stays near {}",
          state.start_distance, named("y", state.y));
      break;
  }
  if (state.upper_gradient <= kFlat * state.largest_upper_gradient) {
    text += fmt::format(
        "; the end point looks like a critical point of the upper objective alone (|grad f| = {:.3g}), which is no "
        "solution of the game unless the follower happens to agree",
        state.upper_gradient);
  }
  return text;
}

}  // namespace

void note_pair(Dpbg::State& state, const HypergradientResult& result, const Vec& start) {
  ++state.pairs;
  state.upper_gradient = std::hypot(result.upper_x_norm, result.upper_y_norm);
  state.largest_upper_gradient = std::max(state.largest_upper_gradient, state.upper_gradient);
  state.contraction = contraction_of(result, state.upper_gradient, state.inner.steps);
  state.start_distance = norm(state.z - start);
  state.phase = phase_of(state, result, start);
  if (state.phase != DpbgPhase::pseudo_stable) {
    end_plateau(state);
    return;
  }
  if (state.current_plateau > 0 && norm(result.y - state.y) > kOtherAnswer * unit_of(result.y)) end_plateau(state);
  if (state.current_plateau == 0) ++state.plateaus;
  if (state.current_plateau == 0 || state.contraction < state.current_contraction) {
    state.current_contraction = state.contraction;
    state.current_x = state.x;
    state.current_y = result.y;
  }
  ++state.pseudo_stable_steps;
  if (++state.current_plateau > state.longest_plateau) {
    state.longest_plateau = state.current_plateau;
    state.plateau_x = state.current_x;
    state.plateau_y = state.current_y;
  }
}

std::vector<Finding> Dpbg::findings(const OuterMethod::State& base) const {
  const auto& state = dynamic_cast<const State&>(base);
  if (state.pairs == 0) return {};
  const auto number = [](Index count) { return static_cast<double>(count); };
  std::vector<Finding> all{
      {"pseudo_stable_steps", number(state.pseudo_stable_steps),
       fmt::format("{} of {} were pseudo-stable: {} contract there to a point that hardly depends on where they start",
                   state.pseudo_stable_steps, counted(state.pairs, "step"),
                   counted(state.inner.steps, "follower step"))},
      {"longest_plateau", number(state.longest_plateau), plateau_sentence(state)},
      {"escapes", number(state.escapes), fmt::format("left a plateau {}", counted(state.escapes, "time"))},
      {"phase", static_cast<double>(state.phase), phase_sentence(state)},
  };
  if (const double product = state.inner.step_size * state.inner.curvature; product >= 1) {
    all.push_back({"inner_step_curvature", product,
                   fmt::format("a L = {:.3g} was met with inner-step-size {:.4g}, where the theory of DPBG needs a L < "
                               "1: give an inner-step-size below {:.3g}",
                               product, state.inner.step_size, 1 / state.inner.curvature)});
  }
  return all;
}

}  // namespace bilevel
