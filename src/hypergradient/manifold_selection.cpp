#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/manifold_selection.hpp"
#include "hypergradient/manifold_curvature.hpp"
#include "hypergradient/manifold_polish.hpp"
#include "lower/manifold_explore.hpp"

namespace bilevel {

namespace {

/// How far two answers and their gradients must be apart to count as two pieces, relatively.
struct Apart {
  double answers, gradients;
};
/// Polished ones agree far better than this unless f is nearly flat between them.
constexpr Apart kPolishedApart{1e-2, 1e-4};
/// A point that ties to 1e-7 may lie 5e-4 from the minimiser where the curvature is one, and give as different a
/// gradient, without being another piece.
constexpr Apart kExploredApart{5e-2, 1e-2};

bool differ(const Vec& a, const Vec& b, double apart, double floor) {
  return norm(a - b) > apart * (floor + norm(a) + norm(b));
}

/// Tolerances that the objectives' rounding allows. What is no curvature each FollowerPoint knows itself.
SelectionOptions attainable(SelectionOptions options, double rounding) {
  options.polish_tolerance = negligible(options.polish_tolerance, rounding);
  options.tie_tolerance = options.tie_tolerance > 0 ? negligible(options.tie_tolerance, rounding) : 0;
  return options;
}

/// One selection, in the order explore, rank, polish, differentiate, examine.
class Selector {
 public:
  Selector(const BilevelProblem& problem, const Vec& x, const SelectionOptions& options, Random& random,
           SelectionMemory& memory)
      : problem_(problem),
        x_(x),
        options_(attainable(options, problem.rounding())),
        random_(random),
        memory_(memory),
        sign_(options.selection == ManifoldSelection::optimistic ? 1 : -1) {}

  SelectionReport select(const Vec& start, bool explore) {
    auto first = settle(*problem_.lower, x_, start, options_.kernel_tolerance, memory_.size, report_.lower_steps);
    if (!first || !is_minimum(*first, start)) {
      first = send_down(*problem_.lower, x_, start, options_.kernel_tolerance, memory_.size,
                        options_.descent_iterations, report_.lower_steps);
    }
    if (!first) return fail_at_start(start);
    memory_.size = std::max(memory_.size, first->size());
    if (explore) look_around(*first);
    add(std::move(*first));
    rank_found();
    if (ranked_.empty()) {
      return fail(Status::nonfinite, "the upper objective is not finite at any of the follower's minimisers");
    }
    polish_best();
    if (!report_.message.empty()) return report_;
    differentiate();
    if (report_.message.empty()) {
      report_.status = Status::converged;
      if (explore) {
        examine();
      } else {
        probe();
      }
    }
    return report_;
  }

  /// The answer `y` to a neighbour of x as a piece at x. False if it does not tie with those of `report`.
  bool add_neighbour(const Vec& y, SelectionReport& report) {
    auto point = settle(*problem_.lower, x_, y, options_.kernel_tolerance, memory_.size, report.lower_steps);
    if (!point || !point->same_level(report.pieces[0].lower)) return false;
    auto ranked = rank(*problem_.upper, x_, std::move(*point), memory_);
    if (!ranked || !tie(ranked->upper, report.pieces[0].upper)) return false;
    auto piece = piece_at(*ranked, ranked->point.kernel_part(ranked->slope));
    if (!piece) return false;
    report.pieces.push_back(std::move(*piece));
    return true;
  }

 private:
  SelectionReport fail(Status status, std::string message) {
    report_.status = status;
    report_.message = std::move(message);
    return report_;
  }

  SelectionReport fail_at_start(const Vec& start) {
    const auto there = problem_.lower->evaluate(Oracle::value | Oracle::grad_y, x_, start);
    const double residual = norm(*there.grad_y);
    if (!std::isfinite(*there.value) || !std::isfinite(residual)) {
      return fail(Status::nonfinite, fmt::format("the lower objective is not finite at the follower's start (g = {}, "
                                                 "|g_y| = {})",
                                                 *there.value, residual));
    }
    if (!all_finite(problem_.lower->hess_yy(x_, start, *there.grad_y))) {
      return fail(Status::nonfinite, "a product with H is not finite at the follower's start");
    }
    return fail(Status::lower_failed,
                fmt::format("no minimiser of the follower was reached from |g_y| = {:.3g}, in {} steps of descent and "
                            "correction; allow more descent-iterations, or the follower has none near",
                            residual, report_.lower_steps));
  }

  /// Newton's corrections from near a minimiser arrive at one; from afar they may arrive at a saddle, above the start.
  bool is_minimum(const FollowerPoint& settled, const Vec& start) const {
    constexpr double kNear = 0.1;
    const double before = problem_.lower->value(x_, start);
    return norm(settled.y() - start) <= kNear * (1 + norm(start)) &&
           (settled.value() <= before || settled.same_level(before));
  }

  void look_around(FollowerPoint& first) {
    constexpr Index kMost = 40;
    report_.explored = true;
    const auto basis = kernel_basis(first, options_.kernel_limit, random_);
    const Index k = basis.vectors.cols();
    if (basis.complete) report_.kernel_dimension = k;
    const Index count = options_.samples.value_or(k == 0 ? 0 : std::min<Index>(4 * (k + 1), kMost));
    for (auto& point :
         explore(*problem_.lower, x_, first, count, std::max<Index>(k, 1), options_, random_, report_.lower_steps)) {
      add(std::move(point));
    }
  }

  void add(FollowerPoint point) { found_.push_back(std::move(point)); }

  /// Keeps those that are minimisers of g(x, .) as far as is known, the known answer (found last) first among equals.
  void rank_found() {
    std::size_t lowest = found_.size() - 1;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (found_[i].value() < found_[lowest].value() && !found_[i].same_level(found_[lowest].value())) lowest = i;
    }
    const double level = found_[lowest].value();
    for (std::size_t i = found_.size(); i-- > 0;) {
      if (!found_[i].same_level(level)) continue;
      const bool is_known = i + 1 == found_.size();
      auto one = rank(*problem_.upper, x_, std::move(found_[i]), memory_);
      if (one && is_known) known_ = ranked_.size();
      if (one) ranked_.push_back(std::move(*one));
    }
    found_.clear();
    for (const auto& one : ranked_) note_opposite(one.upper);
  }

  void note_opposite(double upper) {
    if (!seen_ || sign_ * upper > sign_ * report_.opposite) report_.opposite = upper;
    seen_ = true;
  }

  bool better(double a, double b) const { return sign_ * a < sign_ * b; }

  /// Brings forward the best that lie apart: polishing neighbours finds one minimiser twice.
  void spread_out(std::size_t count) {
    constexpr double kApart = 0.25;  // of the largest distance
    double width = 0;
    for (const auto& one : ranked_) width = std::max(width, norm(one.point.y() - ranked_[0].point.y()));
    for (std::size_t place = 1; place < count; ++place) {
      const auto chosen = ranked_.begin() + static_cast<std::ptrdiff_t>(place);
      const auto next = std::find_if(chosen, ranked_.end(), [&](const RankedPoint& one) {
        return std::all_of(ranked_.begin(), chosen, [&](const RankedPoint& other) {
          return norm(one.point.y() - other.point.y()) > kApart * width;
        });
      });
      if (next == ranked_.end()) return;
      std::rotate(chosen, next, next + 1);
    }
  }

  /// The known answer and the best others that lie apart, each polished; what is not polished may still tie.
  void polish_best() {
    if (known_) std::swap(ranked_[0], ranked_[*known_]);
    const auto others = ranked_.begin() + (known_ ? 1 : 0);
    std::stable_sort(others, ranked_.end(),
                     [&](const RankedPoint& a, const RankedPoint& b) { return better(a.upper, b.upper); });
    const auto count = std::min(ranked_.size(), static_cast<std::size_t>(options_.polished));
    spread_out(count);
    Status worst = Status::converged;
    double worst_residual = 0;
    Index iterations = 0;
    constexpr double kGoodEnough = 1e-4;  // of |f_y|: where rounding or the budget ended it
    for (std::size_t i = 0; i < ranked_.size(); ++i) {
      if (i >= count) {
        unpolished_.push_back(std::move(ranked_[i]));
        continue;
      }
      before_polish_.emplace_back(ranked_[i].point.y(), ranked_[i].upper);
      auto done = polish(problem_, x_, std::move(ranked_[i]), sign_, options_, memory_, report_.lower_steps);
      const double residual = norm(done.tangent);
      const bool selected =
          done.status == Status::converged || (done.status != Status::diverged && done.status != Status::nonfinite &&
                                               residual <= kGoodEnough * memory_.upper_slope);
      done.known = known_ && i == 0;
      if (selected) {
        note_opposite(done.best.upper);
        polished_.push_back(std::move(done));
      } else {
        worst = done.status;
        worst_residual = residual;
        iterations = done.iterations;
      }
    }
    if (worst == Status::diverged) {
      fail(Status::lower_failed, fmt::format("{} without bound along the follower's minimisers: there is no {} answer",
                                             sign_ > 0 ? "f falls" : "f rises", to_string(options_.selection)));
    } else if (polished_.empty()) {
      fail(worst == Status::nonfinite ? Status::nonfinite : Status::lower_failed,
           fmt::format("no {} answer was selected: after {} polishing steps |P_ker f_y| = {:.3g} ({}), to be {:.3g}; "
                       "allow more polish-iterations",
                       to_string(options_.selection), iterations, worst_residual, to_string(worst),
                       options_.polish_tolerance * memory_.upper_slope));
    }
    std::stable_sort(polished_.begin(), polished_.end(),
                     [&](const Polished& a, const Polished& b) { return better(a.best.upper, b.best.upper); });
  }

  /// Empty where a product is not finite.
  std::optional<SelectionPiece> piece_at(RankedPoint& ranked, const Vec& tangent) {
    auto& point = ranked.point;
    const double tolerance = std::max(1e-12, point.rounding());
    const Vec consistent = ranked.slope - tangent;
    SelectionPiece piece;
    piece.adjoint = point.solve(consistent, tolerance);
    // One refinement: the recurrence's residual drifts from the true one where H is ill-conditioned.
    piece.adjoint += point.solve(consistent - point.product(piece.adjoint), 1e-4);
    const Vec direct = problem_.upper->grad_x(x_, point.y()), through_follower = point.cross_product(piece.adjoint);
    piece.gradient = direct - through_follower;
    piece.gradient_scale = norm(direct) + norm(through_follower);
    piece.y = point.y();
    piece.upper = ranked.upper;
    piece.lower = point.value();
    piece.lower_residual = point.residual();
    piece.selection_residual = norm(tangent);
    if (!point.finite() || !all_finite(piece.gradient)) return std::nullopt;
    return piece;
  }

  void differentiate() {
    auto best = piece_at(polished_.front().best, polished_.front().tangent);
    if (!best) {
      fail(Status::nonfinite, "the hypergradient f_x - B H+ f_y is not finite at the selected answer");
      return;
    }
    report_.pieces.push_back(std::move(*best));
    const Vec selected = report_.pieces.front().y;
    const double upper_selected = report_.pieces.front().upper;
    for (std::size_t i = 1; i < polished_.size(); ++i) {
      auto& other = polished_[i];
      if (!differ(other.best.point.y(), selected, kPolishedApart.answers, 1)) continue;
      if (!report_.gap) report_.gap = sign_ * (other.best.upper - upper_selected);
      if (other.known) report_.switched = true;
      if (ties(other.best.upper)) add_piece(other.best, other.tangent, kPolishedApart);
    }
    // Where f is so flat along S(x) that explored points tie unpolished, the leader cannot tell them apart either.
    for (auto& other : unpolished_) {
      if (ties(other.upper)) add_piece(other, other.point.kernel_part(other.slope), kExploredApart);
    }
    for (const auto& [y, upper] : before_polish_) {
      if (!ties(upper) || !differ(y, selected, kExploredApart.answers, 1)) continue;
      auto other = rank(*problem_.upper, x_,
                        FollowerPoint(*problem_.lower, x_, y, options_.kernel_tolerance, memory_.size), memory_);
      if (other) add_piece(*other, other->point.kernel_part(other->slope), kExploredApart);
    }
    report_.kink = report_.pieces.size() > 1;
  }

  bool tie(double upper, double best) const {
    return std::abs(upper - best) <= options_.tie_tolerance * (1 + std::abs(best));
  }
  bool ties(double upper) const { return tie(upper, report_.pieces[0].upper); }

  /// Unless it is one of the known pieces, or gives the leader the same gradient as one.
  void add_piece(RankedPoint& ranked, const Vec& tangent, const Apart& apart) {
    for (const auto& known : report_.pieces) {
      if (!differ(known.y, ranked.point.y(), apart.answers, 1)) return;
    }
    auto piece = piece_at(ranked, tangent);
    if (!piece) return;
    // At a solution gradients vanish, and what the polishes left of them differs.
    const double vanishing = negligible(1e-6, problem_.rounding());
    for (const auto& known : report_.pieces) {
      if (norm(known.gradient - piece->gradient) <= vanishing * (known.gradient_scale + piece->gradient_scale)) return;
      if (!differ(known.gradient, piece->gradient, apart.gradients, 1e-12)) return;
    }
    report_.pieces.push_back(std::move(*piece));
  }

  void examine() {
    if (!report_.kernel_dimension || *report_.kernel_dimension == 0) return;
    if (!problem_.upper->provides().has(Oracle::hess_yy)) return;
    const auto& piece = report_.pieces.front();
    const auto basis = kernel_basis(polished_.front().best.point, options_.kernel_limit, random_);
    if (!basis.complete || basis.vectors.cols() == 0) return;
    const auto curvature =
        intrinsic_curvature(problem_, x_, piece.y, piece.adjoint, polished_.front().tangent, basis, sign_);
    if (!curvature) return;
    report_.intrinsic_curvature = curvature->smallest;
    report_.degenerate = curvature->degenerate || curvature->falls();
  }

  void probe() {
    constexpr double kGone = 1e-3;  // of a random vector, what the rough projection may leave if k = 0
    const double rounding = problem_.rounding();
    const double step = std::max(1e-3, 100 * std::sqrt(rounding));  // of 1 + |y|; f changes by half its square
    const double fall = negligible(1e-10, rounding);                // of 1 + |f|: more than the polish left
    auto& best = polished_.front().best;
    Vec v(best.slope.size());
    for (auto& entry : v) entry = random_.normal();
    const double drawn = norm(v);
    v = best.point.rough_kernel_part(v);
    const double length = norm(v);
    if (!(length > kGone * drawn)) return;
    const Vec& y = best.point.y();
    auto beside = settle(*problem_.lower, x_, y + (step * (1 + norm(y)) / length) * v, options_.kernel_tolerance,
                         memory_.size, report_.lower_steps);
    if (!beside || !best.point.same_level(beside->value())) return;
    const auto ranked = rank(*problem_.upper, x_, std::move(*beside), memory_);
    report_.saddle = ranked && sign_ * (ranked->upper - best.upper) < -fall * (1 + std::abs(best.upper));
  }

  const BilevelProblem& problem_;
  const Vec& x_;
  SelectionOptions options_;
  Random& random_;
  SelectionMemory& memory_;
  double sign_;
  SelectionReport report_;
  std::vector<FollowerPoint> found_;
  std::vector<RankedPoint> ranked_, unpolished_;
  std::vector<std::pair<Vec, double>> before_polish_;  // y and f
  std::vector<Polished> polished_;
  std::optional<std::size_t> known_;
  bool seen_ = false;
};

}  // namespace

SelectionReport select_on_manifold(const BilevelProblem& problem, const Vec& x, const Vec& start,
                                   const SelectionOptions& options, Random& random, SelectionMemory& memory,
                                   bool explore) {
  check_options(options);
  return Selector(problem, x, options, random, memory).select(start, explore);
}

bool add_piece_along(const BilevelProblem& problem, const Vec& x, const Vec& e, const SelectionOptions& options,
                     Random& random, SelectionMemory& memory, SelectionReport& report) {
  constexpr double kMove = 1e-4;  // its square is well below the tie tolerance, and rounding well below it
  const double length = norm(e);
  if (report.pieces.empty() || !(length > 0) || !std::isfinite(length)) {
    throw InvalidInput(
        fmt::format("a piece along e needs a selection with pieces and a finite e that is not zero, but "
                    "there are {} pieces and |e| = {}",
                    report.pieces.size(), length));
  }
  if (e.size() != x.size()) {
    throw DimensionMismatch(
        fmt::format("a piece along e needs e of the length of x, {}, but e has {}", x.size(), e.size()));
  }
  const Vec moved = x + (kMove * (1 + norm(x)) / length) * e;
  const auto there = select_on_manifold(problem, moved, report.pieces[0].y, options, random, memory);
  report.lower_steps += there.lower_steps;
  return there.status == Status::converged &&
         Selector(problem, x, options, random, memory).add_neighbour(there.pieces[0].y, report);
}

}  // namespace bilevel
