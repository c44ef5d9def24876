#include "diagnostics/extreme_eigenvalues.hpp"

#include <algorithm>
#include <cmath>
#include <exception>

#include <Spectra/SymEigsSolver.h>
#include <fmt/format.h>
#include <Eigen/Eigenvalues>

#include "bilevel/random.hpp"

namespace bilevel {

namespace {

/// A basis longer than this costs more to keep orthogonal than the products that a restart repeats.
constexpr Index kLongestBasis = 120;
constexpr Index kSizeProducts = 6;  // of the power iteration that finds the shift

struct NotFinite : std::exception {};

/// A / unit + 2 I in the form that Spectra asks for, with eigenvalues from 1 to 3 where `unit` is A's size. Spectra's
/// tolerance is relative to the eigenvalue, so without the shift one near 0 would never converge.
class Shifted {
 public:
  using Scalar = double;
  Shifted(const LinearOperator& A, double unit, Index& products) : A_(A), unit_(unit), products_(products) {}
  Index rows() const { return A_.rows(); }
  Index cols() const { return A_.rows(); }
  void perform_op(const double* in, double* out) const {
    const Eigen::Map<const Vec> v(in, rows());
    const Vec product = A_.apply(v);
    ++products_;
    if (!all_finite(product)) throw NotFinite();
    Eigen::Map<Vec>(out, rows()) = product / unit_ + 2.0 * v;
  }

 private:
  const LinearOperator& A_;
  double unit_;
  Index& products_;
};

/// Opens the factorisation, whose Ritz pairs Spectra only hands out once they have converged.
class Lanczos : public Spectra::SymEigsSolver<Shifted> {
 public:
  using SymEigsSolver::SymEigsSolver;
  Eigen::MatrixXd basis() const { return m_fac.matrix_V(); }
  Eigen::MatrixXd projected() const { return m_fac.matrix_H(); }
};

Vec random_unit(Index size, std::uint64_t seed) {
  Random random(seed);
  Vec v(size);
  for (auto& entry : v) entry = random.normal();
  return v / norm(v);
}

}  // namespace

ExtremeEigenvalues extreme_eigenvalues(const LinearOperator& A, double tolerance, Index max_products,
                                       std::uint64_t seed) {
  const Index size = A.rows();
  if (size < 3 || max_products < 10) {
    throw InvalidOption(fmt::format(
        "the Lanczos method needs a size of at least 3 and a budget of at least 10 products, but was given {} and {}",
        size, max_products));
  }
  ExtremeEigenvalues result;
  const Vec start = random_unit(size, seed);
  double operator_size = 0;
  Vec v = start;
  const Index size_products = std::min<Index>(kSizeProducts, max_products / 5);
  for (Index i = 0; i < size_products; ++i) {
    Vec product = A.apply(v);
    ++result.products;
    const double length = norm(product);
    if (!std::isfinite(length)) {
      result.finite = false;
      return result;
    }
    operator_size = std::max(operator_size, length);
    if (length == 0) break;
    v = product / length;
  }
  // A multiple of the identity by 0: every vector is an eigenvector.
  if (operator_size == 0) {
    result.smallest_vector = result.largest_vector = start;
    result.converged = true;
    return result;
  }

  const Index budget = max_products - result.products - 3;  // one is for the start, two are for the residuals
  const Index wanted = 2;
  const Index basis_size = std::min({size, budget, kLongestBasis});
  const Index restarts = (budget - basis_size) / std::max<Index>(basis_size - wanted, 1);
  Shifted shifted(A, operator_size, result.products);
  try {
    Lanczos lanczos(shifted, wanted, basis_size);
    lanczos.init(start.data());
    lanczos.compute(Spectra::SortRule::BothEnds, restarts, tolerance / 6);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> ritz(lanczos.projected());
    if (ritz.info() != Eigen::Success) throw NotFinite();
    const auto take = [&](Index which, double& value, double& residual, Vec& vector) {
      vector = lanczos.basis() * ritz.eigenvectors().col(which);
      vector /= norm(vector);
      const Vec product = A.apply(vector);
      ++result.products;
      value = dot(vector, product);
      residual = norm(product - value * vector);
    };
    take(0, result.smallest, result.smallest_residual, result.smallest_vector);
    take(basis_size - 1, result.largest, result.largest_residual, result.largest_vector);
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {  // ours, or Spectra's when its small eigenvalue problems fail
    result.finite = false;
    return result;
  }
  result.finite = std::isfinite(result.smallest) && std::isfinite(result.largest) &&
                  std::isfinite(result.smallest_residual) && std::isfinite(result.largest_residual);
  const double reach = tolerance * std::max(std::abs(result.smallest), std::abs(result.largest));
  result.converged = result.finite && result.smallest_residual <= reach && result.largest_residual <= reach;
  return result;
}

}  // namespace bilevel
