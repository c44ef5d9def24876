#include <algorithm>
#include <array>
#include <cmath>

#include "linear/lanczos.hpp"
#include "linear/minimum_residual.hpp"

namespace bilevel {

namespace {

/// The plane reflection [c s; s -c] that maps (a, b) to (r, 0), r >= 0.
struct Reflection {
  double c = -1, s = 0, r = 0;

  static Reflection of(double a, double b) {
    const double r = std::hypot(a, b);
    return r > 0 ? Reflection{a / r, b / r, r} : Reflection{1, 0, 0};
  }
};

/// First applies to two numbers or vectors, in place.
template <class Value>
void reflect(const Reflection& p, Value& first, Value& second) {
  const Value kept = p.c * first + p.s * second;
  second = p.s * first - p.c * second;
  first = kept;
}

/// Symbols: v Lanczos vectors, alpha and beta the tridiagonal T's entries. Reflections from the left turn T into an
/// upper triangle of three diagonals, those from the right turn that into a lower one L with rows (eta, theta, gamma):
/// d = W u with L u = t, W = V P. Of W the last three columns change, of u the last two.
class Run final : public Refinement {
 public:
  using Refinement::Refinement;

 private:
  struct Row {  // of L, with its right-hand side
    double eta = 0, theta = 0, gamma = 0, t = 0;
  };

  /// Where r is (almost) orthogonal to the range of A, what rounding left of its part inside is found by itself: a
  /// Krylov space that r starts would not see it.
  Ending pass(const Vec& r, Vec& d) override {
    if (!kernel_met_) {
      const Ending ending = minimum_length(r, d);
      kernel_met_ = ending == Ending::least_squares;
      return ending;
    }
    MinimumResidual minimum([this](const Vec& v) { return product(v); }, [this] { return next_iteration(); });
    const Ending ending = minimum.run_in_range(r, d);
    observe(minimum.size());
    return ending;
  }

  /// Only where the recurrence meets the kernel exactly does the last entry of u vanish, and with it d's kernel part.
  void settle(Vec& moved, const Vec& r) override { remove_along(r, moved); }

  Ending minimum_length(const Vec& r, Vec& d) {
    double phi = scaled_norm(r);
    Lanczos lanczos(r, phi);
    const Vec& v = lanczos.v;
    const double &alpha = lanczos.alpha, &beta_next = lanczos.beta_next;
    std::array<Vec, 3> w{Vec::Zero(r.size()), Vec::Zero(r.size()), Vec::Zero(r.size())};  // columns k - 2, k - 1, k
    std::array<Row, 3> row;                                                               // rows k - 2, k - 1, k
    std::array<double, 5> u{};                                                            // entries k - 4 .. k
    Vec settled = Vec::Zero(r.size());  // the part of d whose entries of u are final
    Reflection left;
    Reflection skip{1, 0, 0};  // from the right, on columns k - 2 and k
    double delta_bar = 0, epsilon_next = 0;
    for (Index k = 1;; ++k) {
      if (!next_iteration()) return Ending::budget;
      if (!lanczos.orthogonalise(product(v))) return Ending::nonfinite;
      observe(lanczos.column_size());

      // Column k of the upper triangle.
      double delta = left.c * delta_bar + left.s * alpha;
      const double gamma_bar = left.s * delta_bar - left.c * alpha;
      epsilon_next = left.s * beta_next;
      delta_bar = -left.c * beta_next;
      // |A (r - A d)| / |r - A d| for the d before this update.
      if (std::hypot(gamma_bar, delta_bar) <= kOrthogonal * size()) return Ending::least_squares;
      left = Reflection::of(gamma_bar, beta_next);
      row = {row[1], row[2], Row{0, 0, left.r, left.c * phi}};
      phi *= left.s;
      u = {u[1], u[2], u[3], 0, 0};

      // The reflections from the right that make column k lower triangular, on L's rows and on W's columns.
      w = {std::move(w[1]), std::move(w[2]), v};
      if (k > 2) {
        double eta = 0;
        reflect(skip, row[1].theta, delta);
        reflect(skip, eta, row[2].gamma);
        row[2].eta = eta;
        reflect(skip, w[0], w[2]);
      }
      if (k > 1) {
        const auto adjacent = Reflection::of(row[1].gamma, delta);
        row[1].gamma = adjacent.r;
        double theta = 0;
        reflect(adjacent, theta, row[2].gamma);
        row[2].theta = theta;
        reflect(adjacent, w[1], w[2]);
      }

      // u[4 - j] is entry k - j; entry k - 2 is final from here on.
      const auto solve = [&](std::size_t i) {
        const Row& at = row[i - 2];
        if (!(std::abs(at.gamma) > kSingular * size())) return false;
        u[i] = (at.t - at.eta * u[i - 2] - at.theta * u[i - 1]) / at.gamma;
        return true;
      };
      bool regular = true;
      if (k > 2) {
        regular = solve(2);
        settled += u[2] * w[0];
      }
      if (k > 1) regular = solve(3) && regular;
      regular = solve(4) && regular;
      d = settled + u[3] * w[1] + u[4] * w[2];
      if (!regular) return Ending::least_squares;
      if (phi <= trusted() || beta_next == 0) return Ending::solved;

      if (k > 1) {
        skip = Reflection::of(row[1].gamma, epsilon_next);
        row[1].gamma = skip.r;
      }
      lanczos.advance();
    }
  }

  /// Of |A| |r|: |A r| below it is within what rounding does to the recurrence, of the order of sqrt(epsilon).
  static constexpr double kOrthogonal = 1e-7;
  /// Of |A|: a diagonal entry of L below it belongs to the kernel.
  static constexpr double kSingular = 10 * kEpsilon;

  bool kernel_met_ = false;
};

}  // namespace

MinresQlp::MinresQlp() : MinresQlp(Options{}) {}

MinresQlp::MinresQlp(Options options) : options_(options) {
  check_stop("minres_qlp", options, "ten times the dimension");
}

LinearSolver::Summary MinresQlp::do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const {
  if (auto answer = answer_without_iteration(name(), A.cols(), b, warm_start)) return *answer;
  const Index budget = options_.max_iterations > 0 ? options_.max_iterations : 10 * A.cols();
  return Run(name(), A, b, options_.tolerance, budget).solve(warm_start);
}

}  // namespace bilevel
