#include "bilevel/power_transformed.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/linear.hpp"

namespace bilevel {

std::string_view to_string(PowerSolver solver) { return solver == PowerSolver::krylov ? "krylov" : "neumann"; }

Vec PowerTransform::diagonal(const Vec& y) const {
  if (!(exponent >= 2) || !std::isfinite(exponent)) {
    throw InvalidOption(fmt::format("the exponent p of a power transform must be a number >= 2, but is {}", exponent));
  }
  if (!(floor > 0) || !std::isfinite(floor)) {
    throw InvalidOption(fmt::format("the floor of a power transform must be a number > 0, but is {}", floor));
  }
  if (centre.size() != 0 && centre.size() != y.size()) {
    throw DimensionMismatch(fmt::format("the centre of a power transform has {} entries, but the follower has {}",
                                        centre.size(), y.size()));
  }
  const Vec distance = centre.size() > 0 ? Vec((y - centre).cwiseAbs()) : Vec(y.cwiseAbs());
  return ((exponent - 1) * distance.array().pow(exponent - 2)).max(floor);
}

namespace {

void check_ranges(const PowerTransformedOptions& options) {
  if (options.terms < 0) {
    throw InvalidOption(
        fmt::format("the series of a power-transformed hypergradient needs Q >= 0, but Q is {}", options.terms));
  }
  if (!(options.step_size >= 0) || !std::isfinite(options.step_size)) {
    throw InvalidOption(
        fmt::format("the step nu of a power-transformed hypergradient must be a number >= 0 (0: measured), but is {}",
                    options.step_size));
  }
}

/// Moves `result` to the failed status unless its adjoint and gradient are numbers.
void check_finite(HypergradientResult& result) {
  if (all_finite(result.adjoint) && all_finite(result.gradient)) return;
  result.status = Status::nonfinite;
  result.message =
      fmt::format("the adjoint v or B v of the power-transformed hypergradient is not finite: {}", result.message);
}

/// D^-1 H in the inner product of D is D^-1/2 H D^-1/2 in the usual one, for z = D^1/2 v.
Vec scaled_product(const Linearization& lower, const Vec& inverse_root, const Vec& z) {
  return inverse_root.cwiseProduct(lower.hess_yy(inverse_root.cwiseProduct(z)));
}

void solve_by_krylov(const Linearization& lower, const Vec& upper_y, const Vec& diagonal,
                     const PowerTransformedOptions& options, PowerTransformedMemory& memory,
                     HypergradientResult& result) {
  constexpr Index kIterationCap = 1000;
  const Vec root = diagonal.cwiseSqrt(), inverse_root = root.cwiseInverse();
  const auto scaled =
      LinearOperator::symmetric(diagonal.size(), [&](const Vec& z) { return scaled_product(lower, inverse_root, z); },
                                {.symmetric = true, .positive_definite = true});
  const Vec b = inverse_root.cwiseProduct(upper_y);
  const LinearStop stop{options.tolerance, options.max_iterations > 0
                                               ? options.max_iterations
                                               : std::min<Index>(10 * diagonal.size(), kIterationCap)};
  const Vec start = memory.adjoint.size() > 0 ? Vec(root.cwiseProduct(memory.adjoint)) : Vec();
  auto solved = ConjugateGradient(stop).solve(scaled, b, start.size() > 0 ? &start : nullptr);
  result.message = solved.message;
  if (solved.status == Status::breakdown) {
    const std::string why = std::move(solved.message);
    solved = Minres(stop).solve(scaled, b);
    result.message = fmt::format("minimum residuals, as conjugate gradients broke down ({}): {}", why, solved.message);
    if (solved.status == Status::breakdown || !solved.consistent) {
      result.status = Status::breakdown;
      result.message = "no v solves D^-1 H v = D^-1 f_y: " + result.message;
    }
  }
  if (solved.status == Status::nonfinite) result.status = Status::nonfinite;
  result.adjoint = inverse_root.cwiseProduct(solved.x);
  if (result.status == Status::converged && all_finite(result.adjoint)) memory.adjoint = result.adjoint;
}

/// Of the interval (0, 1] in which every factor is a contraction that keeps signs; a batch may be twice as curved as
/// the one that was measured.
double margin_of(bool batches) { return batches ? 0.45 : 0.9; }

double measured_step_size(const Linearization& lower, const Vec& diagonal, double margin,
                          PowerTransformedMemory& memory) {
  const Vec inverse_root = diagonal.cwiseSqrt().cwiseInverse();
  auto measured = measure_curvature([&](const Vec& z) { return scaled_product(lower, inverse_root, z); },
                                    diagonal.size(), memory.eigenvector);
  if (all_finite(measured.eigenvector)) memory.eigenvector = std::move(measured.eigenvector);
  return measured.largest > 0 && std::isfinite(measured.largest) ? margin / measured.largest : 1.0;
}

/// `first` is the factor q = 1; `next()` linearises at the samples of the following ones.
template <class Next>
void solve_by_series(const Linearization& first, const Next& next, const Vec& upper_y, const Vec& diagonal,
                     const PowerTransformedOptions& options, double margin, PowerTransformedMemory& memory,
                     HypergradientResult& result) {
  const double nu = options.step_size > 0 ? options.step_size : measured_step_size(first, diagonal, margin, memory);
  memory.series_step_size = nu;
  const auto length = [&](const Vec& v) { return std::sqrt(dot(v, diagonal.cwiseProduct(v))); };
  Vec term = upper_y.cwiseQuotient(diagonal);
  const double first_length = length(term);
  Vec sum = term;
  for (Index q = 1; q <= options.terms; ++q) {
    const Vec product = q == 1 ? first.hess_yy(term) : next([&](const Linearization& at) { return at.hess_yy(term); });
    term -= nu * product.cwiseQuotient(diagonal);
    sum += term;
  }
  result.adjoint = nu * sum;
  const double last = first_length > 0 ? length(term) / first_length : 0;
  result.message = fmt::format("{} terms with nu = {:.3g}, the last {:.2g} of the first", options.terms + 1, nu, last);
  if (last > 1 + 1e-9) {
    result.status = Status::breakdown;
    result.message =
        fmt::format("the series for v does not converge, as nu is too long or H is not positive: {}", result.message);
  }
}

}  // namespace

HypergradientResult power_transformed(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                      const PowerTransformedOptions& options, PowerTransformedMemory& memory,
                                      const PowerTransformedBatches& batches) {
  check_ranges(options);
  const Vec diagonal = options.transform.diagonal(y);
  const auto draw = [](const std::function<Batch()>& source) { return source ? source() : full; };
  HypergradientResult result;
  result.y = y;

  auto upper = problem.upper->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, y, draw(batches.upper));
  result.upper = *upper.value;
  result.upper_x_norm = norm(*upper.grad_x);
  result.upper_y_norm = norm(*upper.grad_y);
  if (!std::isfinite(result.upper) || !all_finite(*upper.grad_x) || !all_finite(*upper.grad_y)) {
    result.status = Status::nonfinite;
    result.message = fmt::format("the upper objective is not finite at the follower's answer (f = {})", result.upper);
    return result;
  }

  const auto first = problem.lower->linearize(x, y, draw(batches.lower), Oracle::grad_y);
  result.lower_residual = result.first_lower_residual = norm(*first.evaluation().grad_y);
  // On all samples one linearisation serves for everything.
  const auto next = [&](const auto& use) {
    return batches.lower ? use(problem.lower->linearize(x, y, batches.lower())) : use(first);
  };
  if (options.solver == PowerSolver::krylov) {
    solve_by_krylov(first, *upper.grad_y, diagonal, options, memory, result);
    result.gradient = *upper.grad_x - first.hess_xy(result.adjoint);
  } else {
    solve_by_series(first, next, *upper.grad_y, diagonal, options, margin_of(batches.lower != nullptr), memory, result);
    const auto& cross = batches.cross ? batches.cross : batches.lower;
    result.gradient =
        *upper.grad_x - (cross ? problem.lower->hess_xy(x, y, result.adjoint, cross()) : first.hess_xy(result.adjoint));
  }
  check_finite(result);
  return result;
}

HypergradientResult power_transformed(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                      const PowerTransformedOptions& options) {
  PowerTransformedMemory memory;
  return power_transformed(problem, x, y, options, memory);
}

}  // namespace bilevel
