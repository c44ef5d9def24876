#include "bilevel/certificate.hpp"

#include <limits>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "diagnostics/certificate_examiner.hpp"

namespace bilevel {

namespace {

void validate(const BilevelProblem& problem, const Vec& x, const Vec& y, const CertificateOptions& options) {
  problem.validate();
  const auto fits = [&](const char* what, const Vec& point, Index expected) {
    if (point.size() == expected) return;
    throw DimensionMismatch(
        fmt::format("the certificate of problem '{}' needs {} of length {}, but was given length {}", problem.name,
                    what, expected, point.size()));
  };
  fits("x", x, problem.dim_x());
  fits("y", y, problem.dim_y());
  const auto needs = [&](const char* which, const Objective& objective, OracleSet wanted) {
    const auto missing = wanted.without(objective.provides());
    if (missing.empty()) return;
    throw MissingOracle(fmt::format("a certificate needs {} of the {} objective, but '{}' does not provide {}",
                                    to_string(wanted), which, objective.name(), to_string(missing)));
  };
  needs("upper", *problem.upper, Oracle::grad_x | Oracle::grad_y);
  needs("lower", *problem.lower, Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy);
  const auto in = [](const char* name, double value, double low, double high) {
    if (value >= low && value <= high) return;
    throw InvalidOption(
        fmt::format("the certificate's {} is {:g}, but it must be in {:g}..{:g}", name, value, low, high));
  };
  constexpr double kMost = 1e9;
  in("tolerance", options.tolerance, 1e-15, 0.1);
  in("kernel_tolerance", options.kernel_tolerance, 1e-15, 0.1);
  in("dense_limit", static_cast<double>(options.dense_limit), 0, 500);
  in("convexity", options.convexity, 0, std::numeric_limits<double>::max());
  in("eigenvalue_products", static_cast<double>(options.eigenvalue_products), 20, kMost);
  in("solve_products", static_cast<double>(options.solve_products), 0, kMost);
  in("morse_bott_limit", static_cast<double>(options.morse_bott_limit), 0, 500);
  in("leader_curvature_limit", static_cast<double>(options.leader_curvature_limit), 0, kMost);
  in("selection_limit", static_cast<double>(options.selection_limit), 0, 100);
}

}  // namespace

Certificate certify(const BilevelProblem& problem, const Vec& x, const Vec& y, const CertificateOptions& options) {
  validate(problem, x, y, options);
  return examine(problem, x, y, options);
}

std::string_view to_string(FollowerKind kind) {
  switch (kind) {
    case FollowerKind::local_minimiser: return "local minimiser";
    case FollowerKind::degenerate_local_minimiser: return "degenerate local minimiser";
    case FollowerKind::saddle: return "saddle";
    case FollowerKind::not_critical: return "not critical";
    case FollowerKind::undecided: return "undecided";
  }
  return "unknown";
}

std::string_view to_string(SelectionKind kind) {
  switch (kind) {
    case SelectionKind::selected: return "selected answer";
    case SelectionKind::stationary: return "stationary answer";
    case SelectionKind::degenerate: return "degenerate selection";
    case SelectionKind::kink: return "kink between answers";
    case SelectionKind::falls: return "not the leader's choice";
    case SelectionKind::out_of_budget: return "no selection within budget";
  }
  return "unknown";
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::local_solution: return "certified local bilevel solution";
    case Verdict::degenerate_equilibrium: return "equilibrium with degenerate follower";
    case Verdict::kink_suspected: return "kink suspected";
    case Verdict::follower_saddle: return "follower saddle";
    case Verdict::leader_saddle: return "stationary, but no minimum of the leader";
    case Verdict::fake_stationary_point: return "fake stationary point";
    case Verdict::not_converged: return "not converged";
    case Verdict::undecided: return "undecided";
  }
  return "unknown";
}

}  // namespace bilevel
