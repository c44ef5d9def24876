#include "diagnostics/morse_bott_samples.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include "bilevel/random.hpp"
#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

namespace {

constexpr int kChordSteps = 60;
constexpr int kHalvings = 16;
constexpr int kJointSteps = 40;
constexpr int kDampedSteps = 20;
constexpr double kDamping = 0.1;  // of the largest singular value squared: errors along it fall tenfold a step
// A part of g_y is there, and no rounding, from so many times the floor on.
constexpr double kClear = 100;
constexpr double kLowestOrder = 0.5, kHighestOrder = 8;

Vec random_unit(Index size, Random& random) {
  Vec v(size);
  for (auto& entry : v) entry = random.normal();
  const double length = norm(v);
  if (length > 0) v /= length;
  return v;
}

class Mover {
 public:
  Mover(const Objective& lower, const CriticalPlace& place, const MorseBottOptions& options)
      : lower_(lower), place_(place), options_(options) {}

  Move make(MoveKind kind, Random& random) {
    Vec u = Vec::Zero(place_.x.size()), v = Vec::Zero(place_.y.size());
    if (kind != MoveKind::kernel) u = (1 + norm(place_.x)) * random_unit(u.size(), random);
    if (kind != MoveKind::leader) {
      v = (1 + norm(place_.y)) * (place_.spectrum.kernel * random_unit(place_.spectrum.kernel.cols(), random));
    }
    Move move;
    move.kind = kind;
    double radius = options_.radius;
    for (int halving = 0; halving <= kHalvings; ++halving, radius /= 2) {
      const auto outer = correct(place_.x + radius * u, place_.y + radius * v);
      const auto inner = correct(place_.x + radius / 2 * u, place_.y + radius / 2 * v);
      if (!outer || !inner) continue;
      move.settled = true;
      move.radius = radius;
      look(move, place_.x + radius * u, *outer, place_.x + radius / 2 * u, *inner);
      return move;
    }
    return move;
  }

 private:
  double outside(const Vec& gradient) const { return norm(place_.spectrum.kernel.transpose() * gradient); }

  /// P_range g_y(x, .) = 0 from y, with the inverse of H at the place; empty if it does not converge.
  std::optional<Vec> correct(const Vec& x, Vec y) const {
    double last = std::numeric_limits<double>::infinity();
    for (int step = 0; step < kChordSteps; ++step) {
      const Vec gradient = lower_.grad_y(x, y);
      if (!all_finite(gradient)) return {};
      const double within = norm(gradient - place_.spectrum.kernel_part(gradient));
      // Rounding ends the descent somewhere below the floor; there the last step is as good as any.
      if (within <= 1e-2 * place_.floor || (within <= place_.floor && within >= last)) return y;
      if (step > 5 && within > 0.9 * last) return {};
      last = within;
      y -= place_.spectrum.dense_solve(gradient);
    }
    return {};
  }

  void look(Move& move, const Vec& x, const Vec& y, const Vec& x_inner, const Vec& y_inner) const {
    const auto at = lower_.linearize(x, y, full, Oracle::grad_y);
    const Eigen::MatrixXd hessian = dense_hessian(at, y.size());
    const auto near = critical_eigenvalues(hessian);
    move.kernel_dimension = near;
    move.outside = outside(*at.evaluation().grad_y);
    const double half = outside(lower_.grad_y(x_inner, y_inner));
    // Where H was zero at the place, its size there says nothing of the rounding here.
    const double floor = place_.floor + 2 * place_.largest_zero * move.radius * (1 + norm(y));
    move.vanishes = move.outside <= floor;
    move.order = move.vanishes ? std::numeric_limits<double>::quiet_NaN() : std::log2(move.outside / half);
    const bool clear =
        move.outside > kClear * floor && half > floor && move.order > kLowestOrder && move.order < kHighestOrder;
    move.doubtful = !move.vanishes && !clear;
    if (move.vanishes) {
      move.dimension = local_dimension(mixed_matrix(at, x.size(), y.size()), hessian, place_.spectrum.cut);
    } else {
      move.dimension = dimension_nearby(x, y);
    }
  }

  Index critical_eigenvalues(const Eigen::MatrixXd& hessian) const {
    const Vec values = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(hessian, Eigen::EigenvaluesOnly).eigenvalues();
    return (values.array().abs() <= place_.spectrum.cut).count();
  }

  /// Corrects x and y together, by the minimum norm, to a critical pair; empty if that leads away or does not converge.
  std::optional<Index> dimension_nearby(Vec x, Vec y) const {
    const Index n = x.size(), m = y.size();
    const Vec x0 = x, y0 = y;
    const double reach = 10 * options_.radius * (2 + norm(place_.x) + norm(place_.y));
    for (int step = 0; step < kJointSteps; ++step) {
      const auto at = lower_.linearize(x, y, full, Oracle::grad_y);
      const Vec gradient = *at.evaluation().grad_y;
      if (!all_finite(gradient)) return {};
      const Eigen::MatrixXd mixed = mixed_matrix(at, n, m), hessian = dense_hessian(at, m);
      // What a singular place leaves of curvature at radius r is a power of r: rounding is counted against it.
      const double size = std::hypot(mixed.norm(), hessian.norm());
      if (!std::isfinite(size)) return {};
      if (norm(gradient) <= 1e-10 * size * options_.radius) {
        return local_dimension(mixed, hessian, options_.kernel_tolerance * size);
      }
      Eigen::MatrixXd jacobian(m, n + m);
      jacobian << mixed, hessian;
      // Where curves of critical points cross Newton's steps lead to the crossing, since g_y is a form there; damped
      // ones lead to one of the curves first.
      const Eigen::BDCSVD<Eigen::MatrixXd> svd(jacobian, Eigen::ComputeThinU | Eigen::ComputeThinV);
      const Vec sigma = svd.singularValues();
      const double damping = step < kDampedSteps ? kDamping * sigma[0] * sigma[0] : 0.0;
      Vec part = svd.matrixU().transpose() * gradient;
      for (Index i = 0; i < part.size(); ++i) {
        const bool counts = sigma[i] > options_.kernel_tolerance * sigma[0];
        part[i] *= counts ? sigma[i] / (sigma[i] * sigma[i] + damping) : 0.0;
      }
      const Vec move = svd.matrixV() * part;
      x -= move.head(n);
      y -= move.tail(m);
      if (!(norm(x - x0) + norm(y - y0) <= reach)) return {};
    }
    return {};
  }

  const Objective& lower_;
  const CriticalPlace& place_;
  const MorseBottOptions& options_;
};

}  // namespace

std::vector<Move> sample_moves(const Objective& lower, const CriticalPlace& place, const MorseBottOptions& options) {
  Random random(options.seed + 12);
  Mover mover(lower, place, options);
  std::vector<Move> moves;
  const bool leader = place.x.size() > 0, kernel = place.spectrum.kernel.cols() > 0;
  for (Index k = 0; k < options.samples; ++k) {
    if (leader) moves.push_back(mover.make(MoveKind::leader, random));
    if (kernel) moves.push_back(mover.make(MoveKind::kernel, random));
    if (leader && kernel) moves.push_back(mover.make(MoveKind::both, random));
  }
  return moves;
}

std::optional<double> lojasiewicz_constant(const Objective& lower, const CriticalPlace& place,
                                           const MorseBottOptions& options) {
  if (!lower.provides().has(Oracle::value)) return {};
  const double level = lower.value(place.x, place.y), radius = options.radius * (1 + norm(place.y));
  // g is known to rounding only: a difference must be worth a thousand of it.
  const double rounding = 1e3 * std::numeric_limits<double>::epsilon() * std::abs(level);
  std::optional<double> least;
  const auto look = [&](const Vec& direction) {
    for (const double sign : {1.0, -1.0}) {
      const auto there = lower.evaluate(Oracle::value | Oracle::grad_y, place.x, place.y + sign * radius * direction);
      const double rise = std::abs(*there.value - level), slope = norm(*there.grad_y);
      if (!std::isfinite(slope) || !(rise > rounding)) continue;
      const double ratio = slope * slope / (2 * rise);
      if (!least || ratio < *least) least = ratio;
    }
  };
  for (Index i = 0; i < place.y.size(); ++i) {
    if (std::abs(place.spectrum.eigenvalues[i]) > place.spectrum.cut) look(place.spectrum.eigenvectors.col(i));
  }
  Random random(options.seed + 13);
  for (Index k = 0; k < options.samples; ++k) look(random_unit(place.y.size(), random));
  return least;
}

}  // namespace bilevel
