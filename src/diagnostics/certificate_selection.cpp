#include "diagnostics/certificate_selection.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bilevel/manifold_selection.hpp"
#include "hypergradient/manifold_curvature.hpp"

namespace bilevel {

namespace {

/// Whether f gets a slope along S(x) as x moves: then the answer to a neighbour of a degenerate selection lies further
/// away than the neighbour.
bool is_tilted(const BilevelProblem& problem, const Vec& x, const SelectionPlace& place, Random& random) {
  constexpr int kDirections = 3;
  constexpr double kMove = 1e-4;  // of 1 + |x|; what is of second order in it is a hundred times below kTilt
  constexpr double kTilt = 1e-2;  // of the change that f_y has over one unit
  for (int i = 0; i < kDirections; ++i) {
    Vec e(x.size());
    for (auto& entry : e) entry = random.normal();
    if (!(norm(e) > 0)) return false;
    const Vec beside = x + (kMove * (1 + norm(x)) / norm(e)) * e;
    Index steps = 0;
    auto point = settle(*problem.lower, beside, place.y, place.kernel_tolerance, 0, steps);
    if (!point) continue;
    const Vec slope = problem.upper->grad_y(beside, point->y());
    if (!all_finite(slope)) continue;
    const double tilt = norm(point->kernel_part(slope)) - norm(place.tangent);
    if (tilt > kMove * kTilt * place.tangent_scale) return true;
  }
  return false;
}

/// Of the gradients of two pieces.
Vec widest_difference(const std::vector<SelectionPiece>& pieces) {
  Vec widest = Vec::Zero(pieces[0].gradient.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Vec apart = pieces[i].gradient - pieces[j].gradient;
      if (norm(apart) > norm(widest)) widest = apart;
    }
  }
  return widest;
}

class SelectionExaminer {
 public:
  SelectionExaminer(const BilevelProblem& problem, const Vec& x, const SelectionPlace& place,
                    const CertificateOptions& options)
      : problem_(problem), x_(x), place_(place), random_(options.seed + 6), limit_(options.selection_limit) {
    selection_.kernel_tolerance = std::max(place.kernel_tolerance, 1e-14);
    selection_.kernel_limit = limit_;
    // Twice what the method takes, for it looks only once: of two answers at opposite ends of a sphere 19 in 20 are
    // found.
    selection_.samples = std::min<Index>(8 * (place.kernel.cols() + 1), 80);
    selection_.polished = 8;
  }

  CertifiedSelection run() {
    if (place_.kernel.cols() > limit_) {
      conclude(SelectionKind::out_of_budget,
               fmt::format("the answers have {} dimensions, of which at most {} are searched", place_.kernel.cols(),
                           limit_));
      return result_;
    }
    judge_here();
    compare();
    return result_;
  }

 private:
  void conclude(SelectionKind kind, std::string reason) {
    result_.kind = kind;
    result_.reason = std::move(reason);
  }

  /// From y alone.
  void judge_here() {
    const double slope = norm(place_.tangent);
    if (slope > place_.tolerance * place_.tangent_scale) {
      return conclude(SelectionKind::falls, fmt::format("f falls along the answers with a slope of {:.3g}", slope));
    }
    conclude(SelectionKind::stationary, "f is stationary along the answers; its curvature there was not measured");
    if (!problem_.upper->provides().has(Oracle::hess_yy)) return;
    const auto curvature = intrinsic_curvature(problem_, x_, place_.y, place_.adjoint, place_.tangent,
                                               {.vectors = place_.kernel, .complete = true}, 1);
    if (!curvature) return;
    result_.curvature = curvature->smallest;
    result_.curvature_scale = curvature->scale;
    if (curvature->falls()) {
      return conclude(SelectionKind::falls, fmt::format("f is stationary along the answers but curves downwards there "
                                                        "({:.3g}, against terms of size {:.3g})",
                                                        curvature->smallest, curvature->scale));
    }
    if (!curvature->degenerate) {
      return conclude(SelectionKind::selected,
                      fmt::format("along the answers f curves upwards by at least {:.3g}", curvature->smallest));
    }
    result_.tilted = is_tilted(problem_, x_, place_, random_);
    conclude(
        SelectionKind::degenerate,
        fmt::format("degenerate selection: along the answers f curves by {:.3g} only, against terms of size {:.3g}, "
                    "{}",
                    curvature->smallest, curvature->scale,
                    result_.tilted ? "and x tilts it: expect the leader's value to be Hoelder continuous only"
                                   : "but x does not tilt it"));
  }

  /// With the other answers.
  void compare() {
    SelectionMemory memory;
    const double here = problem_.upper->value(x_, place_.y);
    // In units of f: of its size and its change over one unit.
    const double size = std::abs(here) + place_.tangent_scale * (1 + norm(place_.y));
    selection_.tie_tolerance = std::min(selection_.tie_tolerance * size / (1 + std::abs(here)), 0.1);
    auto report = select_on_manifold(problem_, x_, place_.y, selection_, random_, memory);
    if (report.status != Status::converged) {
      if (result_.kind != SelectionKind::falls) {
        conclude(SelectionKind::out_of_budget, fmt::format("{}; {}", result_.reason, report.message));
      }
      return;
    }
    const double best = report.pieces[0].upper;
    if (here - best > selection_.tie_tolerance * (1 + std::abs(best))) {
      result_.better_by = here - best;
      result_.reason += fmt::format(", and another answer has an f less by {:.3g}", result_.better_by);
      return;
    }
    if (result_.kind == SelectionKind::falls) return;
    result_.pieces = static_cast<Index>(report.pieces.size());
    if (report.kink) describe_kink(report, memory);
  }

  void describe_kink(SelectionReport& report, SelectionMemory& memory) {
    constexpr double kApart = 1e-4;  // of the leader's terms
    const Vec apart = widest_difference(report.pieces);
    if (!(norm(apart) > kApart * place_.leader_scale)) {
      result_.pieces = 1;
      return;
    }
    const Vec e = apart / norm(apart);
    for (const Vec& direction : {e, Vec(-e)}) {
      add_piece_along(problem_, x_, direction, selection_, random_, memory, report);
    }
    result_.least_slope = one_sided_derivative(report, e);
    result_.greatest_slope = -one_sided_derivative(report, -e);
    conclude(SelectionKind::kink,
             fmt::format("{} answers tie in f and give the leader different gradients: along the direction in which "
                         "they differ most the derivative is {:.3g} to one side and {:.3g} to the other",
                         result_.pieces, result_.least_slope, result_.greatest_slope));
  }

  const BilevelProblem& problem_;
  const Vec& x_;
  const SelectionPlace& place_;
  Random random_;
  Index limit_;
  SelectionOptions selection_;
  CertifiedSelection result_;
};

}  // namespace

CertifiedSelection examine_selection(const BilevelProblem& problem, const Vec& x, const SelectionPlace& place,
                                     const CertificateOptions& options) {
  return SelectionExaminer(problem, x, place, options).run();
}

}  // namespace bilevel
