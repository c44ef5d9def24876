#include "bilevel/cleaning.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "applications/blobs.hpp"

namespace bilevel {
namespace {

using testing::Blobs;

CleaningOptions one_thread() {
  CleaningOptions options;
  options.threads = 1;
  return options;
}

/// Cheap: no comparators, c given, few steps.
CleaningOptions quick() {
  auto options = one_thread();
  options.comparators = false;
  options.regularization = 1e-3;
  options.stop.max_iterations = 20;
  return options;
}

TEST(Cleaning, FindsWrongLabelsOfBlobs) {
  const auto data = Blobs{}.make();
  std::vector<std::string> stages;
  const auto result = clean(data, one_thread(), {}, [&](std::string_view stage) { stages.emplace_back(stage); });

  // Q(4 / sqrt 2) = 0.23 %: of 600 rows about three lie on the wrong side of the best boundary, each costs at most one
  // hit and one false alarm of 180, so F1 >= 0.98; 0.95 leaves room for a boundary learned from 150 trusted rows.
  ASSERT_TRUE(result.detection);
  EXPECT_EQ(result.detection->wrong, 180U);
  EXPECT_GE(result.detection->f1, 0.95);
  EXPECT_GE(result.detection->auc, 0.98);
  ASSERT_TRUE(result.noisy && result.trusted && result.ceiling);
  EXPECT_GE(*result.cleaned.test_accuracy, *result.noisy->test_accuracy);
  EXPECT_GE(*result.cleaned.test_accuracy, 0.97);
  EXPECT_EQ(stages.front(), "fitting the trusted rows alone");
  EXPECT_EQ(stages.back(), "measuring");
}

TEST(Cleaning, OtherMethodsFindThemToo) {
  const auto data = Blobs{}.make();
  auto options = quick();
  options.certificate = false;
  options.stop = CleaningOptions{}.stop;
  for (const char* method : {"bgs_opt", "hoag", "unibio", "soba", "saba", "ma_soba", "amigo", "srba", "f2sa"}) {
    options.method = method;
    const auto result = clean(data, options);
    // Batches of 64 leave some of the 180 wrong rows and of the 420 others on the wrong side of 1/2.
    EXPECT_GE(result.detection->f1, 0.9) << method << ": " << result.run.message;
    EXPECT_GE(*result.cleaned.test_accuracy, 0.97) << method;
  }
}

TEST(Cleaning, AnswersFitTogether) {
  const auto data = Blobs{}.make();
  const auto result = clean(data, quick());
  ASSERT_EQ(result.weights.size(), 600U);
  EXPECT_TRUE(std::all_of(result.weights.begin(), result.weights.end(), [](double w) { return w > 0 && w < 1; }));

  auto sorted = result.ranking;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) ASSERT_EQ(sorted[i], i) << "the ranking is no permutation";
  std::size_t suspects = 0;
  for (std::size_t i = 0; i < 600; ++i) {
    const bool suspect = result.weights[i] < 0.5;
    suspects += suspect;
    ASSERT_EQ(result.suggested[i] != data.train.labels[i], suspect) << "row " << i;
    ASSERT_TRUE(result.suggested[i] >= 0 && result.suggested[i] < 3);
  }
  EXPECT_EQ(result.suspects, suspects);

  // Suspects first, then the others; in each part the given label becomes more and more likely.
  const LinearModel model(5, {.loss = LinearLoss::softmax, .classes = 3, .intercept = true});
  const auto probabilities = model.predict_probabilities(data.train.features, result.cleaned.y);
  const auto likelihood = [&](std::uint32_t row) { return probabilities(row, data.train.labels[row]); };
  for (std::size_t place = 0; place < 600; ++place) {
    const auto row = result.ranking[place];
    ASSERT_EQ(result.weights[row] < 0.5, place < suspects);
    if (place == 0 || place == suspects) continue;
    // The ranking's own arithmetic rounds likelihoods that differ by less than 1e-12.
    ASSERT_LE(likelihood(result.ranking[place - 1]), likelihood(row) + 1e-12);
  }
  EXPECT_EQ(result.detection->flagged, suspects);
  EXPECT_FALSE(result.noisy || result.trusted || result.ceiling || result.gap_closed());
  EXPECT_EQ(result.chosen_regularization, 1e-3);
}

TEST(Cleaning, IsPerfectOnSeparableBlobs) {
  // Q(10 / sqrt 2) = 8e-13: no row lies on the wrong side.
  const auto data = Blobs{.distance = 10}.make();
  const auto result = clean(data, one_thread());
  EXPECT_EQ(result.detection->precision, 1);
  EXPECT_EQ(result.detection->recall, 1);
  EXPECT_EQ(result.detection->f1, 1);
  EXPECT_EQ(result.detection->auc, 1);
  std::size_t repaired = 0;
  for (std::size_t i = 0; i < 600; ++i) repaired += result.suggested[i] == (*data.true_labels)[i];
  EXPECT_EQ(repaired, 600U);
}

TEST(Cleaning, OfRightLabelsSuspectsFew) {
  const auto result = clean(Blobs{.wrong = 0}.make(), one_thread());
  EXPECT_LE(result.suspects, 30U) << "5 % of the rows; about three lie on the wrong side of the best boundary";
  EXPECT_EQ(result.detection->wrong, 0U);
}

TEST(Cleaning, SameSeedSameBits) {
  const auto a = clean(Blobs{}.make(), quick());
  const auto b = clean(Blobs{}.make(), quick());
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.ranking, b.ranking);
  EXPECT_EQ(a.suggested, b.suggested);
  EXPECT_TRUE(a.cleaned.y == b.cleaned.y);
}

TEST(Cleaning, UnknownTruthsAreLeftOutOfTheDetection) {
  auto data = Blobs{.distance = 10}.make();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 600; ++i) {
    if (i % 3 == 0) (*data.true_labels)[i] = -1;
    wrong += i % 3 != 0 && data.train.labels[i] != (*data.true_labels)[i];
  }
  const auto result = clean(data, one_thread());
  EXPECT_EQ(result.detection->wrong, wrong);
  EXPECT_EQ(result.detection->flagged, wrong) << "suspects of unknown truth do not count";
  EXPECT_EQ(result.detection->f1, 1);
  EXPECT_GT(result.suspects, wrong);
  EXPECT_TRUE(result.ceiling) << "fitted to the rows known to be right";

  std::fill(data.true_labels->begin(), data.true_labels->end(), -1);
  const auto blind = clean(data, quick());
  EXPECT_FALSE(blind.detection || blind.ceiling || blind.cleaned.detection);
}

class InterruptAfter final : public Observer {
 public:
  explicit InterruptAfter(Index steps) : steps_(steps) {}
  void on_step(const TraceRow& row, const OuterMethod::State&) override { flag = row.iteration >= steps_; }
  std::atomic<bool> flag = false;

 private:
  Index steps_;
};

TEST(Cleaning, AnInterruptedRunStillAnswers) {
  InterruptAfter observer(2);
  auto options = one_thread();
  options.stop.interrupt = &observer.flag;
  const auto result = clean(Blobs{}.make(), options, {&observer});
  EXPECT_EQ(result.run.status, Status::interrupted);
  EXPECT_LE(result.run.iterations, 3) << "the step that was running is finished";
  EXPECT_EQ(result.weights.size(), 600U);
  EXPECT_TRUE(result.noisy && result.trusted) << "they were finished before";
  EXPECT_FALSE(result.ceiling);
  ASSERT_TRUE(result.cleaned.test_accuracy);
  EXPECT_GE(*result.cleaned.test_accuracy, 0.9) << "the follower's answer is a model for blobs four deviations apart";
}

TEST(Cleaning, InterruptedBeforeTheRunItKeepsNoHalfFittedModels) {
  const std::atomic<bool> interrupt = true;
  auto options = one_thread();
  options.stop.interrupt = &interrupt;
  const auto result = clean(Blobs{}.make(), options);
  EXPECT_EQ(result.run.status, Status::interrupted);
  EXPECT_FALSE(result.noisy || result.trusted || result.ceiling);
  EXPECT_TRUE(result.cleaned.y.allFinite());
}

struct Variant {
  const char* name;
  void (*set)(CleaningOptions&);
  Precision precision = Precision::float32;
};

class CleaningVariants : public ::testing::TestWithParam<Variant> {};

TEST_P(CleaningVariants, FindWrongLabels) {
  auto options = quick();
  options.stop.max_iterations = 60;
  GetParam().set(options);
  const auto result = clean(Blobs{.precision = GetParam().precision}.make(), options);
  EXPECT_GE(result.detection->f1, 0.9) << result.run.message;
}

INSTANTIATE_TEST_SUITE_P(
    All, CleaningVariants,
    ::testing::Values(
        Variant{"float64", [](CleaningOptions&) {}, Precision::float64},
        Variant{"cubic_penalty", [](CleaningOptions& o) { o.penalty_norm = 3; }},
        Variant{"truncated", [](CleaningOptions& o) { o.smbg.hypergradient = HypergradientKind::truncated; }},
        Variant{"implicit", [](CleaningOptions& o) { o.smbg.hypergradient = HypergradientKind::implicit; },
                Precision::float64},
        Variant{"gradient_descent", [](CleaningOptions& o) { o.smbg.leader.rule = LeaderRule::gradient_descent; }},
        Variant{"two_threads", [](CleaningOptions& o) { o.threads = 2; }}),
    [](const auto& variant) { return std::string(variant.param.name); });

TEST(Cleaning, MemoryPlansGiveTheSameWeights) {
  const auto data =
      Blobs{.train_rows = 120, .trusted_rows = 60, .test_rows = 30, .precision = Precision::float64}.make();
  auto options = quick();
  options.stop.max_iterations = 5;
  options.smbg.inner_steps = 6;
  options.smbg.inner_step_size = 0.3;  // a L = 0.3 or so: the reversible plan is for gentle paths
  const auto with = [&](MemoryPlan plan) {
    options.smbg.memory = plan;
    options.smbg.checkpoints = 2;
    const auto result = clean(data, options);
    EXPECT_EQ(result.run.iterations, 5) << to_string(plan) << ": " << result.run.message;
    return result.weights;
  };
  const auto store = with(MemoryPlan::store), checkpoint = with(MemoryPlan::checkpoint);
  const auto reversible = with(MemoryPlan::reversible);
  for (std::size_t i = 0; i < store.size(); ++i) {
    // Recomputed iterates are the same bits; reversed ones lose log10 1/(1 - a L) = 0.2 digits of 16 a step.
    EXPECT_NEAR(store[i], checkpoint[i], 1e-12);
    EXPECT_NEAR(store[i], reversible[i], 1e-6);
  }
}

TEST(Cleaning, SparseRows) {
  const auto dense = Blobs{}.make();
  const auto sparse = [](const LabelledRows& rows, std::uint64_t seed) {
    // Indicators: feature 3 * label + (0, 1 or 2), and one that says nothing.
    Random random(seed);
    std::vector<std::size_t> starts{0};
    std::vector<std::uint32_t> columns;
    for (const auto label : rows.labels) {
      columns.push_back(static_cast<std::uint32_t>(3 * static_cast<std::uint64_t>(label) + random.below(3)));
      columns.push_back(static_cast<std::uint32_t>(9 + random.below(4)));
      starts.push_back(columns.size());
    }
    const std::vector<float> values(columns.size(), 1);
    return LabelledRows{FeatureMatrix::sparse(13, starts, columns, values), rows.labels};
  };
  LabelledRows right = dense.train;
  right.labels = *dense.true_labels;
  CleaningData data{3, sparse(right, 1), sparse(dense.trusted, 2), sparse(*dense.test, 3), dense.true_labels};
  data.train.labels = dense.train.labels;
  const auto result = clean(data, one_thread());
  // One feature tells the class without error; four that say nothing correlate with it by chance in 150 trusted rows.
  EXPECT_GE(result.detection->f1, 0.97);
  EXPECT_GE(*result.cleaned.test_accuracy, 0.99);
}

/// The message of the InvalidInput that cleaning throws.
std::string refusal(const CleaningData& data) {
  try {
    clean(data, quick());
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Cleaning, RefusesPartsThatDoNotFit) {
  const auto good = Blobs{.train_rows = 30, .trusted_rows = 12, .test_rows = 6}.make();
  auto data = good;
  std::fill(data.train.labels.begin(), data.train.labels.end(), 1);
  EXPECT_EQ(refusal(data), "the training rows are all of one class: there is nothing to learn");
  data = good;
  std::fill(data.trusted.labels.begin(), data.trusted.labels.end(), 0);
  EXPECT_EQ(refusal(data), "the trusted rows are all of one class: they cannot tell right labels from wrong ones");
  data = good;
  data.train.labels.pop_back();
  EXPECT_EQ(refusal(data), "the training rows have 29 labels for 30 rows of features");
  data = good;
  data.test->labels[0] = 3;
  EXPECT_EQ(refusal(data), "the test rows hold label 3, but labels are 0 to 2");
  data = good;
  data.train.labels[4] = -1;
  EXPECT_EQ(refusal(data), "the training rows hold label -1, but labels are 0 to 2");
  data = good;
  data.trusted = Blobs{.features = 4, .trusted_rows = 12}.make().trusted;
  EXPECT_EQ(refusal(data), "the trusted rows have 4 features, but the training rows have 5");
  data = good;
  data.true_labels->pop_back();
  EXPECT_EQ(refusal(data), "29 true labels are given for 30 training rows");
  data = good;
  data.true_labels->front() = -2;
  EXPECT_EQ(refusal(data), "the true labels hold -2, but labels are 0 to 2, or -1 where not known");
  data = good;
  data.classes = 1;
  EXPECT_EQ(refusal(data), "cleaning needs at least two classes, not 1");
}

TEST(Cleaning, RefusesOptionsOutOfRange) {
  const auto data = Blobs{.train_rows = 30, .trusted_rows = 12, .test_rows = 6}.make();
  auto options = quick();
  options.penalty_norm = 1;
  EXPECT_THROW(clean(data, options), InvalidOption);
  options = quick();
  options.regularization = -1;
  EXPECT_THROW(clean(data, options), InvalidOption);
  options = quick();
  options.method = "smgb";
  EXPECT_THROW(clean(data, options), InvalidOption);
}

TEST(Cleaning, OptionsAreDeclaredOnce) {
  CleaningOptions options;
  auto table = described(options);
  table.set("regularization", "0.01");
  table.set("inner-steps", "7");
  EXPECT_EQ(options.regularization, 0.01);
  EXPECT_EQ(options.smbg.inner_steps, 7);
}

}  // namespace
}  // namespace bilevel
