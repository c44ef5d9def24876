// Properties over all games: other units change nothing but units, and a run started from its own answer stays.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "bilevel/game.hpp"
#include "bilevel/registry.hpp"
#include "bilevel/solve.hpp"

namespace bilevel::testing {
namespace {

/// phi(D x, E y) scale + shift.
class InUnits final : public Objective {
 public:
  InUnits(std::shared_ptr<const Objective> inner, Vec x, Vec y, double scale, double shift)
      : Objective(inner->name(), inner->dim_x(), inner->dim_y()),
        inner_(std::move(inner)),
        x_(std::move(x)),
        y_(std::move(y)),
        scale_(scale),
        shift_(shift) {}

 private:
  class At final : public Linearization::Implementation {
   public:
    At(Linearization inner, const InUnits& of) : inner_(std::move(inner)), of_(of) {}
    Vec hess_yy(const Vec& v) const override {
      return of_.scale_ * of_.y_.cwiseProduct(inner_.hess_yy(of_.y_.cwiseProduct(v)));
    }
    Vec hess_xy(const Vec& v) const override {
      return of_.scale_ * of_.x_.cwiseProduct(inner_.hess_xy(of_.y_.cwiseProduct(v)));
    }
    Vec hess_yx(const Vec& u) const override {
      return of_.scale_ * of_.y_.cwiseProduct(inner_.hess_yx(of_.x_.cwiseProduct(u)));
    }

   private:
    Linearization inner_;
    const InUnits& of_;
  };

  OracleSet do_provides() const override { return inner_->provides(); }
  Evaluation scaled(Evaluation inner) const {
    if (inner.value) inner.value = scale_ * *inner.value + shift_;
    if (inner.grad_x) inner.grad_x = scale_ * x_.cwiseProduct(*inner.grad_x);
    if (inner.grad_y) inner.grad_y = scale_ * y_.cwiseProduct(*inner.grad_y);
    return inner;
  }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    return scaled(inner_->evaluate(want, x_.cwiseProduct(x), y_.cwiseProduct(y), batch));
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto inner = inner_->linearize(x_.cwiseProduct(x), y_.cwiseProduct(y), batch, also);
    evaluation = scaled(inner.take_evaluation());
    return std::make_unique<At>(std::move(inner), *this);
  }

  std::shared_ptr<const Objective> inner_;
  Vec x_, y_;
  double scale_, shift_;
};

/// Powers of 2, so that a change of units rounds nothing.
Vec units(Index size, int first) {
  Vec result(size);
  for (Index i = 0; i < size; ++i) result[i] = std::ldexp(1.0, (first + 7 * static_cast<int>(i)) % 41 - 20);
  return result;
}

std::vector<Game> all_games() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(BILEVEL_GAMES)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Game> games;
  for (const auto& file : files) games.push_back(read_game(file));
  return games;
}

SolveOptions by(const char* method) {
  SolveOptions options;
  options.method = method;
  return options;
}

/// Largest |a_i - b_i| beside |b_i|, or beside the largest |b| where that is more.
double apart(const Vec& a, const Vec& b) {
  const double general = 1e-3 * b.cwiseAbs().maxCoeff() + 1e-6;
  double most = 0;
  for (Index i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]) / std::max(std::abs(b[i]), general));
  return most;
}

TEST(Units, OtherUnitsGiveTheSameAnswersByNewton) {
  int compared = 0;
  for (const auto& game : all_games()) {
    const auto& problem = game.problem;
    const auto plain = solve(problem, by("newton"));
    const Vec D = units(problem.dim_x(), 3), E = units(problem.dim_y(), 11);
    BilevelProblem other = problem;
    other.upper = std::make_shared<InUnits>(problem.upper, D, E, std::ldexp(1.0, -20), 0);
    other.lower = std::make_shared<InUnits>(problem.lower, D, E, std::ldexp(1.0, 17), 0);
    other.x0 = problem.x0.cwiseQuotient(D);
    other.y0 = problem.y0.cwiseQuotient(E);
    const auto scaled = solve(other, by("newton"));
    SCOPED_TRACE(problem.name);
    EXPECT_EQ(to_string(scaled.run.status), to_string(plain.run.status))
        << plain.run.message << " / " << scaled.run.message;
    if (plain.run.status != Status::converged) continue;
    ++compared;
    // Differences of hypergradients are taken over other lengths where x0 = 0, whose unit is not known.
    EXPECT_LE(apart(scaled.run.x.cwiseProduct(D), plain.run.x), 1e-5);
    EXPECT_LE(apart(scaled.run.y.cwiseProduct(E), plain.run.y), 1e-5);
  }
  EXPECT_GE(compared, 25);
}

TEST(Restart, ARunStartedFromItsOwnAnswerStays) {
  for (const auto& game : all_games()) {
    for (const char* method : {"auto", "newton", "smbg", "bgs_opt", "hoag", "hg_ms"}) {
      const auto first = solve(game.problem, by(method));
      if (first.run.status != Status::converged) continue;
      BilevelProblem again = game.problem;
      again.x0 = first.run.x;
      again.y0 = first.run.y;
      auto few = by(method);
      few.stop.max_iterations = 200;
      const auto second = solve(again, few);
      SCOPED_TRACE(game.problem.name + std::string(" by ") + method);
      const double size = 1 + std::abs(first.run.upper);
      EXPECT_LE(second.run.best_upper, first.run.upper + 1e-6 * size) << second.run.message;
      // Gradient methods end at 1e-9 of their first hypergradient, which along a flat valley is some way from its end:
      // there a second run may go on, downhill.
      const bool went_on = second.run.best_upper < first.run.upper - 1e-9 * size;
      EXPECT_TRUE(went_on || apart(second.run.best_x, first.run.x) <= 0.02)
          << second.run.best_x.transpose() << " from " << first.run.x.transpose() << ": " << second.run.message;
    }
  }
}

}  // namespace
}  // namespace bilevel::testing
