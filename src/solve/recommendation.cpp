#include "bilevel/recommendation.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "bilevel/bgs_opt.hpp"
#include "bilevel/certificate.hpp"
#include "bilevel/hg_ms.hpp"
#include "bilevel/lower.hpp"
#include "bilevel/newton.hpp"
#include "hypergradient/leader_answer.hpp"

namespace bilevel {

namespace {

constexpr double kContraction = 0.9;   // a = 0.9 / L, see inner_steps.hpp
constexpr Index kMostAutomatic = 300;  // BGS-Opt's own choice of follower steps ends here

/// Steps of length a = 0.9 / L after which the error along the flattest direction has fallen by `factor`.
double steps_for(double condition, double factor) {
  return std::ceil(-std::log(factor) / -std::log1p(-kContraction / condition));
}

/// Seconds of one call, the least of a few.
template <class Call>
double time_of(const Call& call) {
  constexpr int kRepetitions = 5;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRepetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

/// BGS-Opt with the correction has no bias at any number of steps [AM22, Prop. 5], so that few are enough: by the table
/// of `./dev bench selection` uncorrected unrolling ends off the equilibrium or costs ten times the calls.
void choose_corrected(Recommendation& advice, Index dim_y, double bytes_per_step) {
  advice.method = "bgs_opt";
  advice.hypergradient = "corrected";
  advice.memory = "store";
  constexpr double kVectors = 8;  // of the adjoint solver
  advice.predicted_bytes = static_cast<double>(BgsOptOptions{}.unrolled_steps) * bytes_per_step +
                           kVectors * sizeof(double) * static_cast<double>(dim_y);
}

/// Follower steps that the automatic choice would take, or that the condition asks for beyond it.
void choose_steps(Recommendation& advice) {
  constexpr double kMostSteps = 20000;
  const double settled = std::max(1.0, steps_for(advice.condition, 1e-6));
  advice.inner_steps = static_cast<Index>(std::min<double>(settled, kMostAutomatic));
  // Warm starts carry the rest over from one leader step to the next.
  const double needed = steps_for(advice.condition, 1e-4);
  if (!std::isfinite(needed) || needed <= kMostAutomatic) return;
  advice.inner_steps = static_cast<Index>(std::min(needed, kMostSteps));
  advice.settings["warm-start-steps"] = fmt::format("{}", advice.inner_steps);
}

/// Why HG-MS is not for a degenerate answer, in a clause; empty: it is.
std::string unfit_for_selection(const BilevelProblem& problem, const Certificate& at, const Vec& y) {
  if (at.morse_bott && at.morse_bott->verdict == MorseBottVerdict::fails && at.morse_bott->follows_leader != true) {
    return fmt::format(
        "g is not Morse-Bott there ({}): the follower's choice may jump with x; look at other starts, or "
        "make the follower generic with --perturb",
        at.morse_bott->reason);
  }
  const auto k = at.kernel_dimension.value_or(0);
  if (k > SelectionOptions{}.kernel_limit) {
    return fmt::format("its minimisers form a manifold of dimension {}, too many for HG-MS to search", k);
  }
  const auto needs = HgMs().needs();
  const auto missing = needs.upper.without(problem.upper->provides());
  if (!missing.empty()) return fmt::format("HG-MS needs {} of the upper objective", to_string(missing));
  const auto lacking = needs.lower.without(problem.lower->provides());
  if (!lacking.empty()) return fmt::format("HG-MS needs {} of the lower objective", to_string(lacking));
  Random random(1);
  SelectionMemory memory;
  const auto selected = select_on_manifold(problem, problem.x0, y, {}, random, memory);
  if (selected.status == Status::converged) return "";
  return fmt::format("its minimisers form a manifold of dimension {}, on which HG-MS selects none: {}", k,
                     selected.message);
}

/// HG-MS: by the table of `./dev bench games` it solves every game whose follower is degenerate, where BGS-Opt ends at
/// what the follower's descent happens to choose.
void choose_selection(Recommendation& advice, const Certificate& at, Index dim_y, double linearize, double product) {
  // Of a leader step, explorations included, by the table of `./dev bench manifold`.
  constexpr double kGradients = 80, kSolves = 25;
  constexpr Index kProductsOfASolve = 23;
  constexpr double kVectors = 40;
  advice.method = "hg_ms";
  advice.hypergradient = "implicit";
  advice.memory = "none";
  advice.inner_steps = 0;
  const auto k = static_cast<double>(at.kernel_dimension.value_or(0));
  advice.predicted_bytes = (kVectors + k) * sizeof(double) * static_cast<double>(dim_y);
  advice.predicted_seconds =
      kGradients * linearize + kSolves * static_cast<double>(std::min(dim_y, kProductsOfASolve)) * product;
  const bool manifold = at.morse_bott && at.morse_bott->verdict == MorseBottVerdict::holds_on_the_samples;
  advice.reasons.push_back(fmt::format(
      "the follower's answer to the start is a degenerate minimiser, {} of dimension {}: HG-MS looks for the answer "
      "that "
      "is best for the leader, and differentiates f_x - B H+ f_y there; --method bgs_opt stays with the one that the "
      "follower's descent chooses",
      manifold ? "one of a manifold" : "with a kernel", at.kernel_dimension.value_or(0)));
  if (at.morse_bott && !manifold) {
    advice.reasons.push_back(fmt::format(
        "g is not known to be Morse-Bott there, but the answer moves smoothly with x: {}", at.morse_bott->reason));
  }
}

/// Newton's method: by the table of `./dev bench robust` it loses the fewest problems, at a fraction of the calls.
void choose_newton(Recommendation& advice, const LeaderAnswer& answer, const BilevelProblem& problem, double linearize,
                   double product) {
  advice.method = "newton";
  advice.settings.clear();
  advice.hypergradient = "implicit";
  advice.memory = "none";
  advice.inner_steps = std::max<Index>(answer.lower_steps, 1);
  const auto n = static_cast<double>(problem.dim_x()), m = static_cast<double>(problem.dim_y());
  advice.predicted_bytes = sizeof(double) * (answer.formed ? 3 * m * m + 2 * n * m + 2 * n * n : 20 * (n + m));
  advice.predicted_seconds =
      static_cast<double>(advice.inner_steps) * (linearize + (answer.formed ? m : 10 * std::sqrt(m)) * product);
  if (answer.status == Status::diverged) {
    advice.summary = "the follower has no minimiser at the start";
    advice.reasons.push_back(answer.message);
    return;
  }
  if (answer.flat) {
    advice.summary = "the follower's curvature vanishes at its answer, which Newton's method reaches all the same";
    advice.reasons.push_back(
        "the follower's curvature vanishes at its answer: its gradient steps would hardly move there, while Newton's "
        "method solves it to rounding and differentiates by the limit of the implicit formula");
    return;
  }
  if (std::isfinite(advice.condition)) {
    advice.summary = fmt::format("the follower's condition at the start is {:.3g}", advice.condition);
  }
  advice.reasons.push_back(
      fmt::format("the follower's answer to the start is a local minimiser{}: Newton's method solves it to rounding in "
                  "{} iterations, "
                  "so that the hypergradient has no bias, and the leader moves by trust-region Newton steps",
                  std::isfinite(advice.condition) ? fmt::format(" of condition {:.3g}", advice.condition) : "",
                  advice.inner_steps));
}

/// Whether Newton's method has all that it needs of f and g.
bool offers_newton(const BilevelProblem& problem) {
  const auto needs = Newton().needs();
  return needs.upper.without(problem.upper->provides()).empty() &&
         needs.lower.without(problem.lower->provides()).empty();
}

/// Whether H has a kernel at the answer by rounding, not by its condition.
bool has_kernel(const LeaderAnswer& answer) {
  return answer.formed && answer.formed->spectrum.smallest() <= answer.formed->spectrum.rounding();
}

void explain_degenerate(Recommendation& advice, const std::string& unfit) {
  advice.reasons.push_back(
      "the follower's answer to the start is a degenerate minimiser: which answer it gives is decided by its descent, "
      "and the corrected hypergradient f_x - B H+ f_y is the derivative of that choice, while unrolled steps alone "
      "stay "
      "biased however many they are");
  advice.reasons.push_back("but " + unfit);
}

}  // namespace

Recommendation recommend(const BilevelProblem& problem, const CriticalPoints* critical_points) {
  problem.validate();
  const Objective& g = *problem.lower;
  AnswerMemory memory;
  const auto answer = offers_newton(problem) ? answer_leader(problem, problem.x0, problem.y0, memory) : LeaderAnswer{};
  // A follower without a minimiser is Newton's to name.
  const bool newton = (answer.ok() && (answer.flat || !has_kernel(answer))) || answer.status == Status::diverged;
  auto settled =
      Lbfgs().solve(g, problem.x0, newton ? answer.y : problem.y0, {.tolerance = 1e-8, .max_iterations = 2000});
  if (newton) settled.y = answer.y;
  CertificateOptions look{.leader_curvature_limit = 0, .selection_limit = 0};
  if (newton) look.morse_bott_limit = 0;
  const auto at = certify(problem, problem.x0, settled.y, look);

  Recommendation advice;
  const double floor = std::max(at.smallest_eigenvalue - at.smallest_eigenvalue_error, 0.0);
  advice.condition = floor > 0 ? at.largest_eigenvalue / floor : std::numeric_limits<double>::infinity();
  advice.inner_steps = kMostAutomatic;

  const double linearize = time_of([&] { (void)g.linearize(problem.x0, settled.y, full, Oracle::grad_y); });
  const auto point = g.linearize(problem.x0, settled.y);
  const double product = time_of([&] { (void)point.both(Vec::Ones(g.dim_y())); });
  choose_corrected(advice, g.dim_y(),
                   static_cast<double>(g.linearization_bytes()) + sizeof(double) * static_cast<double>(g.dim_y()));

  const bool degenerate = !newton && at.follower == FollowerKind::degenerate_local_minimiser;
  const auto unfit = degenerate ? unfit_for_selection(problem, at, settled.y) : std::string();
  if (newton) choose_newton(advice, answer, problem, linearize, product);
  if (!newton) switch (at.follower) {
      case FollowerKind::local_minimiser:
        choose_steps(advice);
        advice.summary = fmt::format("the follower's condition at the start is {:.3g}", advice.condition);
        advice.reasons.push_back(fmt::format(
            "the follower's answer to the start is a local minimiser of condition {:.3g}: {} gradient steps "
            "follow it, and "
            "the correction solves the adjoint system for what they leave, so that no bias remains",
            advice.condition, advice.inner_steps));
        break;
      case FollowerKind::degenerate_local_minimiser:
        advice.summary = "the follower's answer to the start is a degenerate minimiser";
        if (!unfit.empty()) explain_degenerate(advice, unfit);
        break;
      case FollowerKind::saddle:
        advice.summary = "the start leads the follower to a saddle";
        advice.reasons.push_back(
            "the start leads the follower to a saddle: start it elsewhere, or use --global to look at its minimisers");
        break;
      case FollowerKind::not_critical:
      case FollowerKind::undecided:
        advice.summary = "the follower did not settle at the start";
        advice.reasons.push_back(fmt::format(
            "the follower did not settle at the start ({}), so nothing about its answer is known: defaults",
            std::isfinite(settled.residual) ? fmt::format("|g_y| = {:.2g}", settled.residual) : "g_y is not finite"));
        break;
    }
  const double bounded = std::isfinite(advice.condition) ? std::sqrt(advice.condition) * 10 : 1e3;
  const double solve = std::min(bounded, 10.0 * static_cast<double>(g.dim_y()));
  if (!newton) advice.predicted_seconds = static_cast<double>(advice.inner_steps) * linearize + solve * product;
  if (degenerate && unfit.empty()) {
    choose_selection(advice, at, g.dim_y(), linearize, product);
  }
  if (critical_points) {
    const Index minimisers = critical_points->count(CriticalKind::minimiser);
    advice.several_minimisers = minimisers > 1;
    if (advice.several_minimisers) {
      advice.reasons.push_back(
          fmt::format("the follower has {} local minimisers at the start: the method stays with the one that the start "
                      "leads to, --global descends them all",
                      minimisers));
    }
  }
  return advice;
}

}  // namespace bilevel
