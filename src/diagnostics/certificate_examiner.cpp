#include "diagnostics/certificate_examiner.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "bilevel/random.hpp"
#include "diagnostics/certificate_probes.hpp"
#include "diagnostics/certificate_selection.hpp"
#include "diagnostics/certificate_spectrum.hpp"
#include "diagnostics/certificate_verdict.hpp"

namespace bilevel {

namespace {

constexpr OracleSet kGradients = Oracle::grad_x | Oracle::grad_y;
constexpr double kAboveNoise = 10;
// Of the oracles' rounding: residuals carry it times the condition of H.
constexpr double kAboveRounding = 1e3;
// A correction longer than this part of 1 + |y| leads to another point, not to the one that is certified.
constexpr double kLongestCorrection = 1e-3;
// A correction that leaves more than this part of g_y says little about the exact one.
constexpr double kCorrectionAccuracy = 1e-3;

/// Everything of the game at one follower's answer.
struct Place {
  Vec y;
  Vec lower_gradient;  // g_y
  Evaluation upper;    // f_x, f_y
  std::optional<Linearization> at;
};

class Examiner {
 public:
  Examiner(const BilevelProblem& problem, const Vec& x, const Vec& y, const CertificateOptions& options)
      : problem_(problem), x_(x), options_(options), budget_(options.solve_products) {
    here_.y = y;
  }

  Certificate run() {
    if (examine()) {
      judge_follower(e_);
      look_again();
      probe();
      examine_morse_bott();
      examine_choice();
      measure_leader_curvature();
    }
    judge(e_);
    return std::move(e_.c);
  }

 private:
  Place place(const Vec& y) const {
    Place result{.y = y, .lower_gradient = {}, .upper = problem_.upper->evaluate(kGradients, x_, y), .at = {}};
    result.at.emplace(problem_.lower->linearize(x_, y, full, Oracle::grad_y));
    result.lower_gradient = *result.at->evaluation().grad_y;
    return result;
  }

  bool finite(bool holds, const char* what) {
    if (!holds && e_.not_finite.empty()) e_.not_finite = what;
    return holds;
  }

  /// All numbers but the probes'; false if something was not finite.
  bool examine() {
    auto& c = e_.c;
    if (!finite(all_finite(x_), "x") || !finite(all_finite(here_.y), "y")) return false;
    here_ = place(here_.y);
    if (!finite(all_finite(here_.lower_gradient), "g_y")) return false;
    if (!finite(all_finite(*here_.upper.grad_x), "f_x") || !finite(all_finite(*here_.upper.grad_y), "f_y"))
      return false;

    spectrum_ = follower_spectrum(*here_.at, problem_.dim_y(), options_);
    c.products += spectrum_.products;
    if (!finite(spectrum_.finite, "a product with H")) return false;
    e_.noise = spectrum_.noise;
    e_.tolerance = std::max({options_.tolerance, kAboveNoise * spectrum_.noise, kAboveRounding * problem_.rounding()});
    c.dense = spectrum_.dense;
    c.follower_residual = norm(here_.lower_gradient);
    c.follower_scale = spectrum_.largest * (1 + norm(here_.y));
    e_.follower_critical = c.follower_residual <= e_.tolerance * c.follower_scale;

    mixed_size_ = mixed_size(*problem_.lower, *here_.at, options_.seed);
    if (!finite(std::isfinite(mixed_size_), "a product with B")) return false;
    measure_upper();
    Vec leader = leader_gradient();
    if (!finite(all_finite(leader), "B w")) return false;
    const Index kernel_before = spectrum_.kernel.cols();
    correct(leader);
    if (spectrum_.kernel.cols() != kernel_before && reference_) {
      // The corrections showed a kernel that rounding had hidden: H+ is meant without it.
      leader = leader_gradient();
      const auto solved = solve(spectrum_, *reference_, *reference_->upper.grad_y, budget_);
      const Vec moved = *reference_->upper.grad_x - reference_->at->hess_xy(solved.w);
      c.leader_residual_error = norm(moved - leader) + adjoint_part(adjoint_defect_) + adjoint_part(solved.residual);
    }
    if (c.dense && spectrum_.kernel.cols() == 0 && x_.size() > 0) {
      c.leader_scale += leader_change(problem_, x_, reference().y, spectrum_, options_.seed);
    }
    report_spectrum();
    measure_kernel();
    return true;
  }

  /// f's gradient, and how much it changes over a step of one unit of 1 + |x| and 1 + |y|: the scale for residuals of
  /// terms that may all vanish at a solution.
  void measure_upper() {
    const double fx = norm(*here_.upper.grad_x), fy = norm(*here_.upper.grad_y);
    e_.c.upper_gradient_norm = std::hypot(fx, fy);
    Random random(options_.seed + 4);
    Vec u(x_.size()), v(here_.y.size());
    for (auto& entry : u) entry = random.normal();
    for (auto& entry : v) entry = random.normal();
    if (u.size() > 0) u *= (1 + norm(x_)) / norm(u);
    v *= (1 + norm(here_.y)) / norm(v);
    for (const double step : {1e-3, 1e-5, 1e-7}) {
      const auto moved = problem_.upper->evaluate(kGradients, x_ + step * u, here_.y + step * v);
      const double dx = norm(*moved.grad_x - *here_.upper.grad_x), dy = norm(*moved.grad_y - *here_.upper.grad_y);
      if (!std::isfinite(dx) || !std::isfinite(dy)) continue;  // a long step may leave the domain of f
      change_x_ = dx / step;
      change_y_ = dy / step;
      break;
    }
    e_.upper_critical = e_.c.upper_gradient_norm <= e_.tolerance * std::hypot(change_x_, change_y_);
  }

  PseudoSolve solve(const FollowerSpectrum& spectrum, const Place& where, const Vec& b, Index most,
                    const Vec& start = {}) {
    auto solved = pseudo_solve(spectrum, *where.at, b, std::min(budget_, most), start);
    budget_ = std::max<Index>(0, budget_ - solved.products);
    e_.c.products += solved.products;
    cross_check(solved);
    return solved;
  }

  /// A solve with H is a look at its small eigenvalues that Lanczos did not take.
  void cross_check(const PseudoSolve& solved) {
    if (spectrum_.dense || spectrum_.kernel.cols() > 0) return;
    const double margin = spectrum_.smallest_error + kAboveNoise * spectrum_.noise * spectrum_.largest;
    if (solved.curvature < -margin - spectrum_.cut && solved.curvature < spectrum_.smallest) {
      spectrum_.smallest = solved.curvature;  // a quotient below zero proves a negative eigenvalue
      spectrum_.smallest_error = std::max(spectrum_.noise, 1e-15) * spectrum_.largest;
      spectrum_.smallest_nonzero = 0;
      spectrum_.kernel_known = spectrum_.bounded = false;
      return;
    }
    const bool lower = solved.finite && solved.quotient != 0 &&
                       solved.quotient < spectrum_.smallest - 0.1 * std::abs(spectrum_.smallest) - margin;
    if (lower) e_.contradiction = solved.quotient;
  }

  /// f_x - B H+ f_y at (x, y), with its residuals and scale.
  Vec leader_gradient() {
    auto& c = e_.c;
    const Vec& fy = *here_.upper.grad_y;
    const auto solved = solve(spectrum_, here_, fy, options_.solve_products / 2);
    adjoint_ = solved.w;
    adjoint_defect_ = solved.residual;
    const double size = norm(fy);
    if (size > 0) {
      const double kernel_part = norm(spectrum_.kernel_part(fy));
      c.adjoint_residual = std::hypot(solved.residual, kernel_part) / size;
    }
    const Vec Bw = here_.at->hess_xy(adjoint_);
    const Vec leader = *here_.upper.grad_x - Bw;
    c.leader_residual = norm(leader);
    const double through_follower = spectrum_.largest > 0 ? mixed_size_ / spectrum_.largest * change_y_ : 0.0;
    c.leader_scale = norm(*here_.upper.grad_x) + norm(Bw) + change_x_ + through_follower;
    return leader;
  }

  /// One Newton correction of y: what it changes bounds what the follower's inexactness contributes. Where all
  /// eigenvalues are known a second one shows which of them y determines: at a strict minimiser corrections shrink
  /// quadratically, at a degenerate one its small eigenvalues keep shrinking with them.
  void correct(const Vec& leader) {
    auto& c = e_.c;
    double change = 0;
    if (c.follower_residual > 0) {
      const auto step = solve(spectrum_, here_, here_.lower_gradient, budget_ / 2);
      const double length = norm(step.w);
      const bool near = step.finite && length <= kLongestCorrection * (1 + norm(here_.y)) &&
                        step.residual <= kCorrectionAccuracy * c.follower_residual;
      change = std::numeric_limits<double>::infinity();
      if (near) {
        Place there = place(here_.y - step.w);
        const double residual = norm(there.lower_gradient);
        const bool usable = all_finite(there.lower_gradient) && all_finite(*there.upper.grad_x) &&
                            all_finite(*there.upper.grad_y) &&
                            residual <= std::max(c.follower_residual, e_.tolerance * c.follower_scale);
        if (usable) {
          change = change_at(there, leader);
          if (!e_.follower_critical && residual <= e_.tolerance * c.follower_scale) {
            e_.follower_critical = e_.corrected = true;
            e_.correction = length;
          }
        }
      }
    }
    c.leader_residual_error = change + adjoint_part(adjoint_defect_);
  }

  /// |B| |H w - f_y| / mu.
  double adjoint_part(double defect) const {
    if (defect == 0 || mixed_size_ == 0) return 0;
    return spectrum_.smallest_nonzero > 0 ? mixed_size_ * defect / spectrum_.smallest_nonzero
                                          : std::numeric_limits<double>::infinity();
  }

  /// The change of the leader's residual from (x, y) to `there`; takes the spectrum there where it is dense.
  double change_at(Place& there, const Vec& leader) {
    FollowerSpectrum at_there = spectrum_;
    if (spectrum_.dense) {
      at_there = spectrum_at(there);
      if (!at_there.finite) return std::numeric_limits<double>::infinity();
    }
    const auto solved = solve(at_there, there, *there.upper.grad_y, budget_, adjoint_);
    const Vec moved = *there.upper.grad_x - there.at->hess_xy(solved.w);
    if (!spectrum_.dense) {
      const Vec& v = spectrum_.smallest_vector;
      const Vec shifted = there.at->hess_yy(v);
      ++e_.c.products;
      eigenvalue_change_ = std::abs(dot(v, shifted) - spectrum_.smallest);
    } else {
      refine(there, std::move(at_there));
    }
    const double change = norm(moved - leader) + adjoint_part(solved.residual);
    return std::isfinite(change) ? change : std::numeric_limits<double>::infinity();
  }

  FollowerSpectrum spectrum_at(const Place& where) {
    auto result = follower_spectrum(*where.at, problem_.dim_y(), options_);
    e_.c.products += result.products;
    return result;
  }

  void refine(Place& there, FollowerSpectrum at_there) {
    const auto step = solve(at_there, there, there.lower_gradient, budget_);
    Place further = place(there.y - step.w);
    if (!all_finite(further.lower_gradient) || norm(further.lower_gradient) > norm(there.lower_gradient)) {
      spectrum_ = std::move(at_there);
      reference_ = std::move(there);
      return;
    }
    auto at_further = spectrum_at(further);
    if (!at_further.finite) return;
    // Twice: where corrections halve, as at a root of third order, the eigenvalue halves with them.
    at_further.split(2 * (at_further.eigenvalues - at_there.eigenvalues).cwiseAbs());
    eigenvalue_change_ = std::abs(at_further.smallest - at_there.smallest);
    spectrum_ = std::move(at_further);
    reference_ = std::move(further);
  }

  const Place& reference() const { return reference_ ? *reference_ : here_; }

  void report_spectrum() {
    auto& c = e_.c;
    c.smallest_eigenvalue = spectrum_.smallest;
    c.smallest_eigenvalue_error = spectrum_.smallest_error + eigenvalue_change_;
    c.kernel_dimension.reset();
    c.largest_eigenvalue = spectrum_.largest;
    e_.cut = spectrum_.cut;
    e_.spectrum_settled = spectrum_.converged;
    e_.eigenvalue_products = spectrum_.products;
    if (spectrum_.bounded) e_.convexity = options_.convexity;
    e_.kernel_found = spectrum_.kernel.cols();
    if (spectrum_.kernel_known) c.kernel_dimension = e_.kernel_found;
  }

  void measure_kernel() {
    auto& c = e_.c;
    const Vec& fy = *here_.upper.grad_y;
    c.selection_residual = norm(spectrum_.kernel_part(fy));
    e_.selection_scale = norm(fy) + change_y_;
    e_.morse_bott_scale = mixed_size_;
    // Where x does not move the follower B itself is rounding of terms of H's size.
    e_.morse_bott_floor =
        kAboveRounding * problem_.lower->rounding() * spectrum_.largest * (1 + norm(here_.y)) / (1 + norm(x_));
    if (x_.size() == 0) return;
    for (Index i = 0; i < spectrum_.kernel.cols(); ++i) {
      const double part = norm(reference().at->hess_xy(spectrum_.kernel.col(i)));
      c.morse_bott_residual = std::hypot(c.morse_bott_residual, part);
    }
    finite(std::isfinite(c.morse_bott_residual), "a product with B");
  }

  /// What Lanczos calls positive definite gets another look from another start: one step of inverse iteration.
  void look_again() {
    if (e_.c.follower != FollowerKind::local_minimiser || spectrum_.dense || spectrum_.bounded) return;
    Random random(options_.seed + 5);
    Vec b(problem_.dim_y());
    for (auto& entry : b) entry = random.normal();
    solve(spectrum_, here_, b, budget_);
    report_spectrum();
    judge_follower(e_);
  }

  /// H positive semidefinite with a known kernel: g itself must say whether y is a minimiser.
  void probe() {
    if (!e_.not_finite.empty() || e_.c.follower != FollowerKind::undecided) return;
    if (spectrum_.kernel.cols() == 0 || !e_.follower_critical || !problem_.lower->provides().has(Oracle::value)) return;
    const auto found = probe_kernel(*problem_.lower, x_, reference().y, spectrum_, options_.seed);
    if (!finite(found.finite, "g")) return;
    e_.kernel_examined = true;
    e_.kernel_falls = found.falls;
    e_.kernel_directions = found.directions;
    judge_follower(e_);
  }

  /// Eigenvalues that count as zero, relative to |H|. Where corrections of y kept halving all of H, as at a flat
  /// minimum, the cut has grown to |H| itself.
  double kernel_tolerance() const {
    constexpr double kMost = 0.1;
    return std::min(std::max(options_.kernel_tolerance, spectrum_.largest > 0 ? e_.cut / spectrum_.largest : kMost),
                    kMost);
  }

  void examine_morse_bott() {
    if (e_.c.follower != FollowerKind::degenerate_local_minimiser || !e_.c.dense) return;
    if (std::max(x_.size(), problem_.dim_y()) > options_.morse_bott_limit) return;
    const MorseBottOptions options{
        .kernel_tolerance = kernel_tolerance(), .range_tolerance = e_.tolerance, .seed = options_.seed};
    e_.c.morse_bott = morse_bott(*problem_.lower, x_, reference().y, options);
  }

  void examine_choice() {
    auto& c = e_.c;
    if (c.follower != FollowerKind::degenerate_local_minimiser || options_.selection_limit == 0) return;
    if (c.morse_bott && c.morse_bott->verdict == MorseBottVerdict::fails) return;
    if (!problem_.upper->provides().has(Oracle::value)) return;
    if (!c.dense) {  // then a descent is long, and there would be dozens
      c.selection = CertifiedSelection{.reason = "the follower has too many variables for its Hessian to be formed"};
      return;
    }
    const Place& at = reference();
    const auto solved = solve(spectrum_, at, *at.upper.grad_y, budget_, adjoint_);
    if (!solved.finite || solved.residual > e_.tolerance * norm(*at.upper.grad_y)) {
      c.selection = CertifiedSelection{.reason = "the adjoint system was not solved within the products"};
      return;
    }
    const SelectionPlace place{.y = at.y,
                               .adjoint = solved.w,
                               .tangent = spectrum_.kernel_part(*at.upper.grad_y),
                               .kernel = spectrum_.kernel,
                               .tangent_scale = e_.selection_scale,
                               .tolerance = e_.tolerance,
                               .leader_scale = c.leader_scale,
                               .kernel_tolerance = kernel_tolerance()};
    c.selection = examine_selection(problem_, x_, place, options_);
  }

  void measure_leader_curvature() {
    auto& c = e_.c;
    const bool candidate = c.follower == FollowerKind::local_minimiser && e_.leader_small() && e_.leader_error_small();
    if (!candidate || !c.dense || x_.size() == 0 || x_.size() > options_.leader_curvature_limit) return;
    e_.curvature_asked = true;
    const auto measured = leader_curvature(problem_, x_, reference().y, spectrum_, c.leader_scale);
    if (!measured) return;
    c.leader_curvature = measured->smallest;
    e_.curvature_error = measured->error;
    e_.curvature_size = measured->size;
  }

  const BilevelProblem& problem_;
  const Vec& x_;
  const CertificateOptions& options_;
  Index budget_;  // products left for solves
  Place here_;
  std::optional<Place> reference_;  // after the corrections, where they were usable
  FollowerSpectrum spectrum_;       // at the reference
  double mixed_size_ = 0;           // |B|
  double change_x_ = 0, change_y_ = 0;
  Vec adjoint_;
  double adjoint_defect_ = 0;
  double eigenvalue_change_ = 0;
  Examination e_;
};

}  // namespace

Certificate examine(const BilevelProblem& problem, const Vec& x, const Vec& y, const CertificateOptions& options) {
  return Examiner(problem, x, y, options).run();
}

}  // namespace bilevel
