#include "diagnostics/certificate_verdict.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace bilevel {

namespace {

// Products that are this far from those of a symmetric matrix are no rounding.
constexpr double kNoHessian = 1e-3;
constexpr double kNoiseWorthSaying = 1e-10;

void conclude(Examination& e, Verdict verdict, std::string reason, std::string advice) {
  e.c.verdict = verdict;
  e.c.reason = std::move(reason);
  e.c.advice = std::move(advice);
}

std::string eigenvalue_text(const Examination& e) {
  const auto& c = e.c;
  if (e.convexity > 0) {
    return fmt::format(
        "H's smallest eigenvalue is known to be at least {:.3g}, and no product contradicts it (|H| = "
        "{:.3g})",
        e.convexity, c.largest_eigenvalue);
  }
  return fmt::format("H's smallest eigenvalue is {:.3g} (error at most {:.1g}, |H| = {:.3g}, {})",
                     c.smallest_eigenvalue, c.smallest_eigenvalue_error, c.largest_eigenvalue,
                     c.dense ? "all eigenvalues known"
                             : fmt::format("by Lanczos with {} products, which cannot exclude an eigenvalue that its "
                                           "random start does not see",
                                           e.eigenvalue_products));
}

std::string leader_text(const Examination& e) {
  const auto error = std::isfinite(e.c.leader_residual_error)
                         ? fmt::format("with an error of at most {:.1g}", e.c.leader_residual_error)
                         : std::string("with an error that could not be bounded");
  return fmt::format("the leader's residual is {:.3g} {}, against terms of size {:.3g}", e.c.leader_residual, error,
                     e.c.leader_scale);
}

std::string curvature_text(const Examination& e) {
  if (!e.c.leader_curvature) {
    return e.curvature_asked ? "the leader's curvature could not be measured"
                             : "the leader's curvature was not examined";
  }
  const double value = *e.c.leader_curvature;
  const bool clear = value > 3 * e.curvature_error && value > 1e-6 * e.curvature_size;
  return clear ? fmt::format("the leader's value function curves upwards (at least {:.3g})", value)
               : fmt::format(
                     "the leader's smallest curvature is {:.3g}, so near 0 that second order does not decide "
                     "whether x is a minimum",
                     value);
}

void judge_undecided(Examination& e) {
  if (e.noise > kNoHessian) {
    return conclude(e, Verdict::undecided,
                    fmt::format("the products with H differ from those of a symmetric matrix by {:.1g} of their size, "
                                "so its eigenvalues mean nothing",
                                e.noise),
                    "audit the lower objective: hess_yy is wrong, or its rounding errors are too large");
  }
  if (e.contradiction != 0) {
    return conclude(
        e, Verdict::undecided,
        fmt::format("{}, but a solve with H met a curvature of {:.3g}", eigenvalue_text(e), e.contradiction),
        "give the certificate more eigenvalue products");
  }
  if (e.kernel_found > 0) {
    return conclude(e, Verdict::undecided,
                    fmt::format("H is singular with a kernel of at least {} dimensions, and {}", e.kernel_found,
                                e.c.kernel_dimension ? "g could not be followed along it"
                                                     : "the products did not suffice to find all of it"),
                    "give the certificate more eigenvalue products, or raise dense_limit above the follower's size");
  }
  conclude(
      e, Verdict::undecided, fmt::format("{}: its sign is not settled", eigenvalue_text(e)),
      "give the certificate more eigenvalue products, or add curvature to the follower, such as a penalty on |y|^2");
}

void judge_not_critical(Examination& e) {
  conclude(e, Verdict::not_converged,
           fmt::format("the follower is not at a critical point: |g_y| = {:.3g} against terms of size {:.3g}",
                       e.c.follower_residual, e.c.follower_scale),
           e.c.smallest_eigenvalue + e.c.smallest_eigenvalue_error < 0
               ? "g curves downwards here: let the follower take more inner steps (--inner-steps, with bgs_opt "
                 "--warm-start-steps), and if it then runs "
                 "away, it may have no minimiser"
               : "solve the follower more exactly: more inner steps (--inner-steps, with bgs_opt --warm-start-steps), "
                 "or a warm start from this y");
}

void judge_saddle(Examination& e) {
  const bool negative = e.c.smallest_eigenvalue + e.c.smallest_eigenvalue_error < 0;
  conclude(e, Verdict::follower_saddle,
           negative && !e.kernel_falls
               ? fmt::format("y is a critical point but no minimiser of g(x, .): {}", eigenvalue_text(e))
               : "y is a critical point where H has a kernel, and along it g falls below its value at y",
           "start the follower elsewhere, or move y a little along the direction in which g falls and solve again");
}

void judge_leader(Examination& e) {
  if (!e.leader_small() && e.c.leader_residual > e.c.leader_residual_error) {
    return conclude(e, Verdict::not_converged, leader_text(e),
                    "go on: more leader steps (--max-iterations), a smaller stopping tolerance, or another step size");
  }
  conclude(e, Verdict::not_converged, fmt::format("{}: the error is too large to tell", leader_text(e)),
           "solve the follower and the adjoint system more exactly: more inner steps (--inner-steps, with bgs_opt "
           "--warm-start-steps), a smaller "
           "tolerance of the linear solver");
}

/// What the Morse-Bott test says of the hypergradient; empty where it was not made.
std::string morse_bott_text(const Certificate& c) {
  if (!c.morse_bott) return "";
  switch (c.morse_bott->verdict) {
    case MorseBottVerdict::holds_on_the_samples:
      return "; g is Morse-Bott here on the samples, so that f_x - B H+ f_y is the derivative of the leader's value "
             "under the gradient-flow selection [AM22, Thm 2]";
    case MorseBottVerdict::fails:
      return fmt::format("; g is not Morse-Bott here, and [AM22, Thm 2] says nothing of the hypergradient: {}",
                         c.morse_bott->reason);
    case MorseBottVerdict::undecided:
      return fmt::format("; whether g is Morse-Bott here is undecided: {}", c.morse_bott->reason);
  }
  return "";
}

std::string selection_text(const Certificate& c) {
  if (!c.selection) return "";
  return fmt::format("; {}: {}", to_string(c.selection->kind), c.selection->reason);
}

/// Where y is no answer that the leader can rely on: kinks, degenerate ones that x tilts, and where f curves downwards.
bool judge_selection(Examination& e, const std::string& kernel) {
  const auto& s = *e.c.selection;
  if (s.kind == SelectionKind::falls) {
    conclude(e, Verdict::not_converged,
             fmt::format("{}, and {}: among the follower's answers this is not the leader's best", kernel, s.reason),
             "move y along the follower's minimisers towards smaller f, or use --method hg_ms, which does");
  } else if (s.kind == SelectionKind::kink) {
    conclude(e, Verdict::kink_suspected, fmt::format("{}, and {}", kernel, s.reason),
             "the leader's value falls to at least one side: move x along minus the gradient of a piece and go on");
  } else if (s.kind == SelectionKind::degenerate && s.tilted) {
    conclude(e, Verdict::kink_suspected, fmt::format("{}; {}", kernel, s.reason),
             "compare f on both sides: the selected answer does not move smoothly with x here, and first order says "
             "little");
  } else {
    return false;
  }
  return true;
}

void judge_degenerate(Examination& e) {
  auto& c = e.c;
  const bool morse_bott = c.morse_bott && c.morse_bott->verdict == MorseBottVerdict::holds_on_the_samples;
  c.selection_equilibrium = morse_bott && e.leader_small() && e.leader_error_small();
  const auto kernel = fmt::format("H is positive semidefinite with a kernel of dimension {}", *c.kernel_dimension);
  if (c.morse_bott_residual > std::max(e.tolerance * e.morse_bott_scale, e.morse_bott_floor)) {
    return conclude(e, Verdict::kink_suspected,
                    fmt::format("{}, and B' reaches into it (|P_ker B'| = {:.3g} of |B| = {:.3g}): the follower's "
                                "answer does not move smoothly with x here",
                                kernel, c.morse_bott_residual, e.morse_bott_scale),
                    "the hypergradient is not defined here: compare f on both sides, or add curvature to the follower, "
                    "such as a penalty on |y|^2");
  }
  // A minimum of fourth order that moves with x is not Morse-Bott either, but its answer is smooth: only what fails as
  // x moves is a kink.
  if (c.morse_bott && c.morse_bott->verdict == MorseBottVerdict::fails && c.morse_bott->follows_leader == false) {
    return conclude(e, Verdict::kink_suspected,
                    fmt::format("{}, and g is not Morse-Bott here: {}", kernel, c.morse_bott->reason),
                    "the hypergradient is not defined here: compare f on both sides, or add curvature to the follower, "
                    "such as a penalty on |y|^2");
  }
  if (c.selection_residual > e.tolerance * e.selection_scale) {
    if (c.selection_equilibrium) {
      return conclude(
          e, Verdict::not_converged,
          fmt::format("{}; this is an equilibrium of the game with selection ({}, and g is Morse-Bott on the samples "
                      "[AM22, Thm 2]), but among the follower's answers it is not the leader's best (optimistic): f "
                      "falls along the valley (|P_ker f_y| = {:.3g}, terms of size {:.3g})",
                      kernel, leader_text(e), c.selection_residual, e.selection_scale),
          "nothing needs doing if the follower's own dynamics choose its answer; for the leader's best one move y "
          "along the follower's minimisers towards smaller f, or add curvature to the follower");
    }
    return conclude(e, Verdict::not_converged,
                    fmt::format("{}, and f still changes along it (|P_ker f_y| = {:.3g}, terms of size {:.3g}): among "
                                "the follower's answers this is not the leader's best",
                                kernel, c.selection_residual, e.selection_scale),
                    "move y along the follower's minimisers towards smaller f, or add curvature to the follower");
  }
  if (c.selection && judge_selection(e, kernel)) return;
  if (!e.leader_small() || !e.leader_error_small()) return judge_leader(e);
  conclude(e, Verdict::degenerate_equilibrium,
           fmt::format("{}; g fell in none of {} directions along it, f is stationary along it, and {}{}{}", kernel,
                       e.kernel_directions, leader_text(e), morse_bott_text(c), selection_text(c)),
           c.selection && c.selection->better_by > 0
               ? "for the leader's best answer start y elsewhere on the follower's manifold, or use --method hg_ms, "
                 "which looks for it"
               : "second order cannot say more about the follower here; add curvature to it if its answer should be "
                 "unique");
}

void judge_minimiser(Examination& e) {
  if (!e.leader_small() || !e.leader_error_small()) return judge_leader(e);
  const auto& c = e.c;
  if (c.leader_curvature && *c.leader_curvature < -std::max(3 * e.curvature_error, 1e-6 * e.curvature_size)) {
    return conclude(
        e, Verdict::leader_saddle,
        fmt::format("y is a strict local minimiser and {}, but the leader's value function curves downwards "
                    "({:.3g})",
                    leader_text(e), *c.leader_curvature),
        "move x a little in a random direction and go on: this point is stationary but no minimum");
  }
  const auto leader =
      c.leader_scale == 0 && c.leader_residual == 0 ? "nothing depends on x to first order" : leader_text(e);
  conclude(e, Verdict::local_solution,
           fmt::format("y is a strict local minimiser, {}; {}; {}", eigenvalue_text(e), leader, curvature_text(e)),
           "nothing needs doing; other local solutions may be better");
}

}  // namespace

void judge_follower(Examination& e) {
  auto& c = e.c;
  if (!e.follower_critical) {
    c.follower = FollowerKind::not_critical;
  } else if (e.noise > kNoHessian) {
    c.follower = FollowerKind::undecided;
  } else if (c.smallest_eigenvalue + c.smallest_eigenvalue_error < -e.cut) {
    c.follower = FollowerKind::saddle;
  } else if (!e.spectrum_settled || e.contradiction != 0 || !c.kernel_dimension) {
    c.follower = FollowerKind::undecided;
  } else if (*c.kernel_dimension == 0) {
    c.follower =
        c.smallest_eigenvalue > c.smallest_eigenvalue_error ? FollowerKind::local_minimiser : FollowerKind::undecided;
  } else if (!e.kernel_examined) {
    c.follower = FollowerKind::undecided;
  } else {
    c.follower = e.kernel_falls ? FollowerKind::saddle : FollowerKind::degenerate_local_minimiser;
  }
}

void judge(Examination& e) {
  auto& c = e.c;
  if (!e.not_finite.empty()) {
    c.follower = FollowerKind::undecided;
    // Some were not computed, and a 0 would look like a good one.
    for (double* number : {&c.follower_residual, &c.smallest_eigenvalue, &c.adjoint_residual, &c.selection_residual,
                           &c.morse_bott_residual, &c.leader_residual, &c.leader_residual_error}) {
      *number = std::numeric_limits<double>::quiet_NaN();
    }
    c.kernel_dimension.reset();
    return conclude(e, Verdict::undecided, fmt::format("{} is not finite at (x, y)", e.not_finite),
                    "start where both objectives and their derivatives are defined, or take smaller steps");
  }
  const bool no_minimiser = c.follower == FollowerKind::not_critical || c.follower == FollowerKind::saddle;
  c.fake = e.upper_critical && no_minimiser;
  if (c.fake) {
    conclude(e, Verdict::fake_stationary_point,
             fmt::format("the gradient of f alone vanishes here (|grad f| = {:.3g}), but y is {} of g(x, .): |g_y| = "
                         "{:.3g}, smallest eigenvalue of H {:.3g}",
                         c.upper_gradient_norm,
                         c.follower == FollowerKind::saddle ? "a saddle or maximiser" : "no critical point",
                         c.follower_residual, c.smallest_eigenvalue),
             "start the follower elsewhere and take enough inner steps (--inner-steps, with bgs_opt "
             "--warm-start-steps) that it leaves this point");
  } else {
    switch (c.follower) {
      case FollowerKind::not_critical: judge_not_critical(e); break;
      case FollowerKind::saddle: judge_saddle(e); break;
      case FollowerKind::undecided: judge_undecided(e); break;
      case FollowerKind::degenerate_local_minimiser: judge_degenerate(e); break;
      case FollowerKind::local_minimiser: judge_minimiser(e); break;
    }
  }
  if (e.corrected) {
    c.reason += fmt::format(
        "; y itself is not critical to the tolerance (|g_y| = {:.3g}), the point meant is {:.1g} "
        "away, one Newton correction",
        c.follower_residual, e.correction);
  }
  if (e.noise > kNoiseWorthSaying && e.noise <= kNoHessian) {
    c.reason += fmt::format(
        "; products carry a relative error of {:.1g}, and nothing finer than ten times that is judged", e.noise);
  }
}

}  // namespace bilevel
