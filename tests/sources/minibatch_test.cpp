// Linear models on minibatches: an oracle of a batch is the average of the oracles of its rows, however the batch is
// made and the rows are stored.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "linear_data.hpp"

namespace bilevel::testing {
namespace {

// Whole blocks of 64 rows and a part of one; 128 features: a length at which rows of weights are spread.
constexpr std::size_t kRows = 150, kFeatures = 128, kClasses = 11;

enum class Stored : std::uint8_t { dense, sparse, subset };

struct Point {
  explicit Point(const Objective& phi) {
    Random random(1);
    x = random_vec(phi.dim_x(), random);
    u = random_vec(phi.dim_x(), random);
    y = random_vec(phi.dim_y(), random, 0.1);
    v = random_vec(phi.dim_y(), random);
  }

  Vec x, u, y, v;
};

/// [value ; grad_x ; grad_y ; H v ; B v ; B' u] of a batch.
Vec answers(const Objective& phi, const Point& at, Batch batch) {
  const auto here = phi.linearize(at.x, at.y, batch, Oracle::value | Oracle::grad_x | Oracle::grad_y);
  const auto products = here.both(at.v);
  Vec all(1 + 2 * phi.dim_x() + 3 * phi.dim_y());
  all << *here.evaluation().value, *here.evaluation().grad_x, *here.evaluation().grad_y, products.hess_yy,
      products.hess_xy, here.hess_yx(at.u);
  return all;
}

/// `count` rows drawn with repetitions.
std::vector<std::uint32_t> drawn(std::size_t count, std::size_t rows) {
  Random random(2);
  std::vector<std::uint32_t> indices(count);
  for (auto& index : indices) index = static_cast<std::uint32_t>(random.below(rows));
  return indices;
}

class Minibatch : public ::testing::TestWithParam<std::tuple<Stored, Precision>> {
 protected:
  Minibatch() : data(kRows, kFeatures, kClasses, 3, 0.7) {}

  FeatureMatrix features() const {
    const auto [stored, precision] = GetParam();
    if (stored == Stored::sparse) return data.sparse(precision);
    if (stored == Stored::dense) return data.dense(precision);
    return data.dense(precision).subset(Random(4).permutation(kRows));
  }

  /// Softmax with row weights and `scale` for the penalty.
  std::shared_ptr<const LinearObjective> objective(PenaltyScale scale, std::size_t threads = 1) const {
    return training_objective(features(), data.labels,
                              {.model = {.classes = kClasses, .intercept = true, .threads = threads},
                               .row_weights = true,
                               .regularization = 0.01,
                               .penalty_scale = scale,
                               .penalize_intercept = true});
  }

  LinearData data;
};

TEST_P(Minibatch, IsTheAverageOfItsRows) {
  for (const auto scale : {PenaltyScale::fixed, PenaltyScale::single, PenaltyScale::per_class}) {
    const auto g = objective(scale);
    const Point at(*g);
    std::vector<Vec> rows;
    for (std::uint32_t i = 0; i < kRows; ++i) rows.push_back(answers(*g, at, Batch({&i, 1})));
    for (const std::size_t count :
         {std::size_t{1}, std::size_t{3}, std::size_t{64}, std::size_t{65}, kRows, 5 * kRows}) {
      const auto indices = drawn(count, kRows);
      Vec average = Vec::Zero(rows[0].size());
      for (const auto i : indices) average += rows[i] / static_cast<double>(count);
      // Another order of at most 750 terms of similar size; in single precision a block's scores are sums of 128
      // products rounded by 6e-8 each, tiled alike for one row and many, and the sums over rows run to 512 terms.
      const double tolerance = std::get<1>(GetParam()) == Precision::float32 ? 2e-6 : 1e-13;
      EXPECT_LE((answers(*g, at, Batch(indices)) - average).norm(), tolerance * average.norm())
          << to_string(scale) << ", " << count << " rows";
    }
  }
}

TEST_P(Minibatch, OfAllRowsInOrderIsTheFullBatch) {
  const auto g = objective(PenaltyScale::fixed);
  const Point at(*g);
  std::vector<std::uint32_t> indices(kRows);
  std::iota(indices.begin(), indices.end(), 0U);
  const Vec all = answers(*g, at, full);
  // Gathered dense rows are summed by groups of 16 instead of blocks of 64: another order of 150 terms.
  const double tolerance = std::get<1>(GetParam()) == Precision::float32 ? 1e-6 : 1e-14;
  EXPECT_LE((answers(*g, at, Batch(indices)) - all).norm(), tolerance * all.norm());
}

TEST_P(Minibatch, AlongOneDirectionIsItsLinearization) {
  for (const auto scale : {PenaltyScale::fixed, PenaltyScale::per_class}) {
    const auto g = objective(scale);
    const Point at(*g);
    constexpr OracleSet all = Oracle::value | Oracle::grad_x | Oracle::grad_y;
    for (const std::size_t count : {1, 3, 16, 17, 64, 65, 83, 400}) {
      const auto indices = drawn(count, kRows);
      const auto along = g->evaluate_along(all, at.x, at.y, at.v, Batch(indices));
      Vec mine(1 + 2 * g->dim_x() + 3 * g->dim_y());
      mine << *along.evaluation.value, *along.evaluation.grad_x, *along.evaluation.grad_y, along.products.hess_yy,
          along.products.hess_xy, Vec::Zero(g->dim_y());
      Vec expected = answers(*g, at, Batch(indices));
      expected.tail(g->dim_y()).setZero();
      // The same sums of the same rows; scores of 22 classes are tiled otherwise than those of 11 twice.
      const double tolerance = std::get<1>(GetParam()) == Precision::float32 ? 1e-6 : 1e-14;
      EXPECT_LE((mine - expected).norm(), tolerance * expected.norm()) << to_string(scale) << ", " << count << " rows";
      const auto again = g->evaluate_along(all, at.x, at.y, at.v, Batch(indices));
      EXPECT_EQ(*again.evaluation.grad_y, *along.evaluation.grad_y);
      EXPECT_EQ(again.products.hess_yy, along.products.hess_yy);
      EXPECT_EQ(again.products.hess_xy, along.products.hess_xy);
    }
  }
}

TEST_P(Minibatch, RepeatsItsBitsWithAnyThreads) {
  const auto one = objective(PenaltyScale::fixed, 1), three = objective(PenaltyScale::fixed, 3);
  const Point at(*one);
  const auto block = drawn(64, kRows), blocks = drawn(400, kRows);
  // A block is one thread's, so that the number of threads cannot matter.
  EXPECT_EQ(answers(*three, at, Batch(block)), answers(*one, at, Batch(block)));
  const Vec first = answers(*three, at, Batch(blocks));
  for (int repeat = 0; repeat < 5; ++repeat) EXPECT_EQ(answers(*three, at, Batch(blocks)), first);
}

TEST_P(Minibatch, AnswersOfItsLeaderEntriesAreZeroElsewhere) {
  const auto g = objective(PenaltyScale::fixed);
  const Point at(*g);
  const std::vector<std::uint32_t> indices{149, 3, 3};
  const auto here = g->linearize(at.x, at.y, Batch(indices), Oracle::grad_x);
  const Vec Bv = here.both(at.v).hess_xy;
  for (Index i = 0; i < g->dim_x(); ++i) {
    const bool inside = i == 3 || i == 149;
    EXPECT_EQ((*here.evaluation().grad_x)[i] != 0, inside) << i;
    EXPECT_EQ(Bv[i] != 0, inside) << i;
  }
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<Stored, Precision>>& test) {
  constexpr const char* names[] = {"dense", "sparse", "subset"};
  const auto [stored, precision] = test.param;
  return names[static_cast<std::size_t>(stored)] + std::string("_") + std::string(to_string(precision));
}

INSTANTIATE_TEST_SUITE_P(All, Minibatch,
                         ::testing::Combine(::testing::Values(Stored::dense, Stored::sparse, Stored::subset),
                                            ::testing::Values(Precision::float32, Precision::float64)),
                         name_of);

}  // namespace
}  // namespace bilevel::testing
