// Distillation on small made-up data: two classes told apart by one distilled row each, the hypergradient of the
// problem as it is assembled, and misuse.
#include "bilevel/distillation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/audit.hpp"
#include "bilevel/distillation_input.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"

namespace bilevel::testing {
namespace {

/// Two clouds whose means are 2 apart along a random direction that no feature shows alone; deviation 1 elsewhere.
LabelledTable clouds(Index count, Index features, std::uint64_t seed) {
  Random directions(77);
  Vec direction(features);
  for (auto& entry : direction) entry = directions.normal();
  direction /= norm(direction);
  Random random(seed);
  LabelledTable table{Table(count, features), {}};
  for (Index i = 0; i < count; ++i) {
    const auto label = static_cast<std::int32_t>(i % 2);
    for (Index j = 0; j < features; ++j) table.rows(i, j) = random.normal();
    table.rows.row(i) += (label == 0 ? -1.5 : 1.5) * direction.transpose();
    table.labels.push_back(label);
  }
  return table;
}

DistillationData two_clouds() { return {2, clouds(600, 8, 1), clouds(400, 8, 2), clouds(2000, 8, 3)}; }

TEST(Distillation, OneRowAClassTrainsAsWellAsAll) {
  const auto data = two_clouds();
  const auto result = distil(data, {.per_class = 1, .threads = 1});
  ASSERT_EQ(result.images.labels, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(result.random.size(), 5u);
  ASSERT_TRUE(result.whole && result.gap_closed());
  // The best rule is right on Phi(1.5) = 93 % of the rows; random pairs of rows point 1/sqrt(8) of the way.
  EXPECT_GT(*result.whole->test_accuracy, 0.91);
  EXPECT_GT(*result.distilled.test_accuracy, *result.whole->test_accuracy - 0.01);
  EXPECT_GT(*result.distilled.test_accuracy, result.random_test()->mean + 0.05);
  EXPECT_GT(*result.gap_closed(), 0.8);
  EXPECT_TRUE(result.certificate.has_value());
}

TEST(Distillation, SameSeedSameImages) {
  const auto data = two_clouds();
  DistillationOptions options{.per_class = 2, .comparators = false, .certificate = false, .seed = 4, .threads = 1};
  options.stop.max_iterations = 5;
  const auto first = distil(data, options), second = distil(data, options);
  EXPECT_EQ(first.images.rows, second.images.rows);
  options.seed = 5;
  EXPECT_NE(first.images.rows, distil(data, options).images.rows);
}

TEST(Distillation, LearnedLabelsAreDistributions) {
  DistillationOptions options{.per_class = 1, .learn_labels = true, .comparators = false, .threads = 1};
  const auto result = distil(two_clouds(), options);
  EXPECT_NEAR(result.targets.row(0).sum(), 1, 1e-12);
  EXPECT_NEAR(result.targets.row(1).sum(), 1, 1e-12);
  EXPECT_GT(result.targets.minCoeff(), 0);
  EXPECT_GT(*result.distilled.test_accuracy, 0.9);
}

TEST(Distillation, ANetworkTakesShortAdamStepsUnlessToldOtherwise) {
  DistillationOptions options{.per_class = 2, .hidden = 3, .comparators = false, .certificate = false, .threads = 1};
  options.stop.max_iterations = 3;
  const auto result = distil(two_clouds(), options);
  EXPECT_EQ(result.choices.size(), 2u);  // c and the leader's step
  EXPECT_FALSE(result.whole);
  options.bgs_opt.leader.step_size = 0.1;
  options.regularization = 0.01;
  EXPECT_TRUE(distil(two_clouds(), options).choices.empty());
}

// The problem as it is assembled: every oracle, and the hypergradient against the follower trained anew.
TEST(Distillation, HypergradientAgreesWithTheRetrainedModel) {
  const auto data = two_clouds();
  Table rows(4, 8);
  Random random(9);
  for (Index i = 0; i < rows.size(); ++i) rows.data()[i] = random.normal();
  const std::vector<std::int32_t> labels{0, 0, 1, 1};
  for (const Index hidden : {0, 2}) {
    for (const bool learn : {false, true}) {
      SCOPED_TRACE(::testing::Message() << hidden << " hidden, labels " << (learn ? "learned" : "given"));
      auto problem =
          distillation_problem(data, {.hidden = hidden, .learn_labels = learn, .regularization = 0.05, .threads = 1},
                               rows, one_hot(labels, 2));
      // The same f in double precision: float32 rows do not let differences of f shrink.
      problem.upper = network_loss(Network({.inputs = 8, .hidden = hidden, .outputs = 2}), data.train.rows,
                                   one_hot(data.train.labels, 2), problem.dim_x());
      const auto found = audit(problem, problem.x0, problem.y0);
      EXPECT_TRUE(found.passed()) << found.text();
      EXPECT_TRUE(found.hypergradient.not_checked.empty()) << found.text();
    }
  }
}

TEST(Distillation, RefusesWhatCannotBeDistilled) {
  auto data = two_clouds();
  EXPECT_EQ(message_of<InvalidOption>([&] { distil(data, {.per_class = 301}); }),
            "per-class 301 asks for more rows than the 300 training rows of class 0");
  EXPECT_NE(message_of<InvalidOption>([&] { distil(data, {.per_class = 0}); }).find("per-class"), std::string::npos);
  EXPECT_NE(message_of<InvalidOption>([&] { distil(data, {.hidden = -1}); }).find("hidden"), std::string::npos);
  data.valid.labels[3] = 2;
  EXPECT_EQ(message_of<InvalidInput>([&] { distil(data, {}); }),
            "the validation rows hold label 2, but labels are 0 to 1");
  data.valid.labels[3] = 0;
  for (auto& label : data.train.labels) label = 1;
  EXPECT_EQ(message_of<InvalidInput>([&] { distil(data, {}); }),
            "the training rows are all of one class: there is nothing to learn");
  EXPECT_EQ(message_of<InvalidOption>([] { read_distillation_input({}, 1); }),
            "no training data: give a file with 'train', as in --train rows.csv, or a data set's name with 'dataset'");
  EXPECT_EQ(message_of<InvalidOption>([] {
              DistillationInputOptions both;
              both.dataset = "fashion-mnist";
              both.train = "a";
              read_distillation_input(both, 1);
            }),
            "give either 'train' or 'dataset', not both");
}

}  // namespace
}  // namespace bilevel::testing
