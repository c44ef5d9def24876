#include "flow_end.hpp"

#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <Eigen/Eigenvalues>

#include "bilevel/random.hpp"

namespace bilevel::flow {

namespace {

Vec unit_vector(Index size, Random& random) {
  Vec v(size);
  for (auto& entry : v) entry = random.normal();
  return v / v.norm();
}

}  // namespace

Spectrum measure_spectrum(FlowSystem& system, const Vec& y) {
  constexpr Index kProducts = 60;
  constexpr double kExhausted = 1e-12;  // a Krylov space is exhausted when what is new in it is rounding
  const Index m = system.dim_y(), most = std::min(m, kProducts);
  Random random(1);
  Eigen::MatrixXd basis(m, most);
  Vec diagonal(most), beside(most);
  Index count = 0;
  Vec next = unit_vector(m, random);
  double largest = 0;
  while (count < most) {
    basis.col(count) = next;
    Vec product = system.hess_yy(y, next);
    diagonal[count] = next.dot(product);
    largest = std::max(largest, product.norm());
    ++count;
    for (int pass = 0; pass < 2; ++pass) {  // once is not enough for orthogonality to rounding
      product -= basis.leftCols(count) * (basis.leftCols(count).transpose() * product);
    }
    beside[count - 1] = product.norm();
    if (!(beside[count - 1] > kExhausted * largest)) break;
    next = product / beside[count - 1];
  }
  if (!diagonal.head(count).allFinite()) {
    const double nan = std::nan("");
    return {nan, nan, nan};
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal.head(count), beside.head(count - 1), Eigen::EigenvaluesOnly);
  const Vec values = solver.eigenvalues();
  Spectrum spectrum{values.minCoeff(), 0, values.cwiseAbs().maxCoeff()};
  for (const double value : values) {
    const double size = std::abs(value);
    if (size <= kKernelLevel * spectrum.largest) continue;
    spectrum.slowest = spectrum.slowest == 0 ? size : std::min(spectrum.slowest, size);
  }
  return spectrum;
}

double measure_coupling(FlowSystem& system, const Vec& y) {
  constexpr int kDraws = 3;
  Random random(2);
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) squares += system.hess_xy(y, unit_vector(system.dim_y(), random)).squaredNorm();
  return std::sqrt(squares / kDraws * static_cast<double>(system.dim_y()));
}

Failure saddle(double curvature, double scale) {
  return {Status::breakdown,
          fmt::format("the flow ends at a saddle: s'Hs/|s|^2 = {:.3g} is negative where |H| = {:.3g}, so a sensitivity "
                      "grows exponentially and the selection has no derivative there",
                      curvature, scale)};
}

Failure leaves_range(std::string_view what, double size) {
  return {
      Status::breakdown,
      fmt::format("the follower is not Morse-Bott here: B' leaves the range of H by {} = {:.3g}, so the sensitivity "
                  "grows linearly with time and the selection has no derivative there",
                  what, size)};
}

Decay::State Decay::observe(double time, double size) {
  if (!last_size_ || size < 0.5 * *last_size_) {
    last_size_ = size;
    last_time_ = time;
    return State::new_half;
  }
  return (time - last_time_) * kKernelLevel * scale_ >= 1 || scale_ == 0 ? State::stuck : State::decays;
}

}  // namespace bilevel::flow
