// Uses the installed library as a user would: an objective of one's own, solved by the library. Exits with 0 when the
// answer is right. The program is compiled for this machine's instructions and the library is not, so every vector that
// one of them allocates and the other frees is part of the test.
#include <bilevel/lower.hpp>
#include <bilevel/objective.hpp>
#include <bilevel/status.hpp>
#include <cstdio>
#include <memory>

namespace {

using bilevel::Vec;

/// g(x, y) = |y - x|^2 / 2, so that y*(x) = x.
class Distance final : public bilevel::Objective {
 public:
  explicit Distance(bilevel::Index size) : Objective("distance", size, size) {}

 private:
  struct Products final : bilevel::Linearization::Implementation {
    Vec hess_yy(const Vec& v) const override { return v; }
    Vec hess_xy(const Vec& v) const override { return -v; }
    Vec hess_yx(const Vec& u) const override { return -u; }
  };

  bilevel::OracleSet do_provides() const override { return bilevel::OracleSet::all(); }

  bilevel::Evaluation do_evaluate(bilevel::OracleSet want, const Vec& x, const Vec& y, bilevel::Batch) const override {
    const Vec difference = y - x;
    bilevel::Evaluation answer;
    if (want.has(bilevel::Oracle::value)) answer.value = 0.5 * difference.squaredNorm();
    if (want.has(bilevel::Oracle::grad_x)) answer.grad_x = -difference;
    if (want.has(bilevel::Oracle::grad_y)) answer.grad_y = difference;
    return answer;
  }

  std::unique_ptr<const bilevel::Linearization::Implementation> do_linearize(
      const Vec& x, const Vec& y, bilevel::Batch batch, bilevel::OracleSet also,
      bilevel::Evaluation& evaluation) const override {
    evaluation = do_evaluate(also, x, y, batch);
    return std::make_unique<Products>();
  }
};

}  // namespace

int main() {
  // Sizes around the widths of the vector registers, where an allocator's rounding would show.
  for (bilevel::Index size = 1; size <= 40; ++size) {
    const Distance lower(size);
    const Vec x = Vec::LinSpaced(size, -1.0, 1.0);
    const auto found = bilevel::GradientDescent().solve(lower, x, Vec::Ones(size), {});
    if (found.status != bilevel::Status::converged || (found.y - x).norm() > 1e-6) {
      std::printf("size %ld: %s\n", static_cast<long>(size), found.message.c_str());
      return 1;
    }
  }
  std::printf("The installed library solved the problems.\n");

  try {
    Distance(2).value(Vec::Zero(3), Vec::Zero(2));
  } catch (const bilevel::DimensionMismatch& error) {
    std::printf("It explains misuse: %s\n", error.what());
    return 0;
  }
  std::printf("A vector of the wrong size was accepted.\n");
  return 1;
}
