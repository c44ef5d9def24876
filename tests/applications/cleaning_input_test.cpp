#include "bilevel/cleaning_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "data/files.hpp"

namespace bilevel {
namespace {

using Labels = std::vector<std::int32_t>;

class CleaningInputFiles : public data::DataTest {
 protected:
  /// Two features and the label "low", "mid" or "high", row i of class i % 3.
  static std::string csv(int rows, double shift = 0) {
    std::string text = "width,height,grade\n";
    const char* const names[] = {"low", "mid", "high"};
    for (int i = 0; i < rows; ++i) text += fmt::format("{},{},{}\n", i + shift, (i * 7) % 5, names[i % 3]);
    return text;
  }
  CleaningInputOptions from_csv(int rows = 30) const {
    CleaningInputOptions options;
    options.train = file("train.csv", csv(rows));
    options.label = "grade";
    return options;
  }
};

bool has(const std::vector<std::string>& sentences, std::string_view part) {
  return std::any_of(sentences.begin(), sentences.end(), [&](const auto& s) { return s.find(part) != s.npos; });
}

/// Class k of row i as the reader numbers them: high 0, low 1, mid 2.
std::int32_t grade(std::size_t row_number) { return Labels{1, 2, 0}[(row_number - 1) % 3]; }

TEST_F(CleaningInputFiles, WithoutTrustedRowsAShareIsHeldOut) {
  const auto input = read_cleaning_input(from_csv());
  EXPECT_EQ(input.data.classes, 3U);
  EXPECT_EQ(input.data.train.labels.size(), 24U);
  EXPECT_EQ(input.data.trusted.labels.size(), 6U);
  for (const std::int32_t c : {0, 1, 2}) {
    EXPECT_EQ(std::count(input.data.trusted.labels.begin(), input.data.trusted.labels.end(), c), 2) << "not stratified";
  }
  EXPECT_FALSE(input.data.test || input.data.true_labels);
  EXPECT_TRUE(has(input.notes, "6 of the 30 rows were held out"));
  EXPECT_TRUE(has(input.notes, "--valid FILE"));
  EXPECT_NE(input.train_source.find("the other rows of"), std::string::npos);
  EXPECT_NE(input.trusted_source.find("held out from the 30 rows of"), std::string::npos);
  EXPECT_EQ(input.test_source, "");

  // The table holds the training rows, then the held-out ones, and no features.
  ASSERT_EQ(input.row_numbers.size(), 24U);
  ASSERT_EQ(input.table.rows, 30U);
  EXPECT_TRUE(input.table.dense.empty());
  EXPECT_EQ(Labels(input.table.labels.begin(), input.table.labels.begin() + 24), input.data.train.labels);
  EXPECT_EQ(Labels(input.table.labels.begin() + 24, input.table.labels.end()), input.data.trusted.labels);
  EXPECT_EQ(std::set(input.table.source_lines.begin(), input.table.source_lines.end()).size(), 30U);
  for (std::size_t i = 0; i < 24; ++i) {
    EXPECT_EQ(input.data.train.labels[i], grade(input.row_numbers[i]));
    EXPECT_EQ(input.table.source_lines[i], input.row_numbers[i] + 1) << "the header is line 1";
  }
}

TEST_F(CleaningInputFiles, TrustedAndTestRowsFromFiles) {
  auto options = from_csv();
  options.valid = file("valid.csv", csv(9, 100));
  options.test = file("test.csv", "grade,height,width\nlow,1,2\nhigh,3,4\n");
  const auto input = read_cleaning_input(options);
  EXPECT_EQ(input.data.train.labels.size(), 30U);
  EXPECT_EQ(input.data.trusted.labels.size(), 9U);
  EXPECT_EQ(input.data.test->labels, (Labels{1, 0})) << "columns are matched by name";
  EXPECT_FALSE(has(input.notes, "held out"));
  EXPECT_EQ(input.row_numbers.front(), 1U);
  EXPECT_EQ(input.row_numbers.back(), 30U);
  EXPECT_EQ(input.table.rows, 30U) << "trusted rows of another file are not in the table";
  EXPECT_EQ(input.train_source, options.train);
  EXPECT_EQ(input.trusted_source, options.valid);
  EXPECT_EQ(input.test_source, options.test);
}

/// The score of a row in a model with a single weight of 1 is the feature itself.
double feature(const FeatureMatrix& features, std::size_t row, std::size_t column) {
  const LinearModel model(features.features(), {.loss = LinearLoss::squared});
  const Vec weights = Vec::Unit(model.dim_y(), static_cast<Index>(column));
  return model.predict_scores(features, weights)(static_cast<Index>(row), 0);
}

TEST_F(CleaningInputFiles, ScalingIsFittedOnTheTrainingRowsThatAreLeft) {
  auto options = from_csv();
  options.precision = Precision::float64;
  const auto input = read_cleaning_input(options);
  ASSERT_EQ(input.choices.size(), 1U);
  EXPECT_EQ(input.choices[0].option, "scaling");
  EXPECT_EQ(input.choices[0].asked, "auto");
  EXPECT_EQ(input.choices[0].used, "standardize");
  EXPECT_EQ(input.data.train.features.precision(), Precision::float64);

  double mean = 0, deviation = 0;  // of the widths of the training rows, row number - 1
  for (const auto number : input.row_numbers) mean += static_cast<double>(number - 1) / 24;
  for (const auto number : input.row_numbers) deviation += std::pow(static_cast<double>(number - 1) - mean, 2) / 24;
  deviation = std::sqrt(deviation);
  for (std::size_t i = 0; i < 24; ++i) {
    // A few roundings of numbers below 30.
    EXPECT_NEAR(feature(input.data.train.features, i, 0),
                (static_cast<double>(input.row_numbers[i] - 1) - mean) / deviation, 1e-13);
  }
  std::set<std::size_t> held_out;
  for (std::size_t number = 1; number <= 30; ++number) held_out.insert(number);
  for (const auto number : input.row_numbers) held_out.erase(number);
  std::size_t i = 0;
  for (const auto number : held_out) {
    EXPECT_NEAR(feature(input.data.trusted.features, i++, 0), (static_cast<double>(number - 1) - mean) / deviation,
                1e-13);
  }

  options.scaling = data::Scaling::none;
  EXPECT_EQ(feature(read_cleaning_input(options).data.train.features, 0, 0),
            static_cast<double>(input.row_numbers[0] - 1));
}

TEST_F(CleaningInputFiles, CorruptsTrainingLabelsOnlyAndKeepsTheTruth) {
  auto options = from_csv(60);
  options.corrupt = 0.25;
  const auto input = read_cleaning_input(options);
  const auto& truth = input.data.true_labels.value();
  ASSERT_EQ(truth.size(), 48U);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 48; ++i) {
    wrong += truth[i] != input.data.train.labels[i];
    EXPECT_EQ(truth[i], grade(input.row_numbers[i]));
  }
  EXPECT_EQ(wrong, 12U);
  EXPECT_EQ(Labels(input.table.labels.begin(), input.table.labels.begin() + 48), input.data.train.labels)
      << "the table holds the labels as given";
  EXPECT_EQ(input.missing_truths, 0U);
  const auto clean_input = read_cleaning_input(from_csv(60));
  EXPECT_EQ(input.data.trusted.labels, clean_input.data.trusted.labels) << "held out before corrupting";
  EXPECT_EQ(input.row_numbers, clean_input.row_numbers);

  options.corruption = data::Corruption::pairwise;
  const auto pairwise = read_cleaning_input(options);
  for (std::size_t i = 0; i < 48; ++i) {
    const auto step = (pairwise.data.train.labels[i] - (*pairwise.data.true_labels)[i] + 3) % 3;
    EXPECT_TRUE(step == 0 || step == 1);
  }
}

TEST_F(CleaningInputFiles, SameSeedSameRowsAndLabels) {
  auto options = from_csv(60);
  options.corrupt = 0.3;
  const auto a = read_cleaning_input(options), b = read_cleaning_input(options);
  EXPECT_EQ(a.row_numbers, b.row_numbers);
  EXPECT_EQ(a.data.train.labels, b.data.train.labels);
  options.seed = 2;
  const auto c = read_cleaning_input(options);
  EXPECT_NE(a.row_numbers, c.row_numbers);
}

TEST_F(CleaningInputFiles, TruthsOfTheRowsThatAreLeft) {
  auto options = from_csv(9);
  options.hold_out = 0.34;
  options.truth = file("truth.txt", "low\nmid\n\nlow\nmid\nhigh\n?\nmid\nmid\n");  // row 9 is said to be high
  const auto input = read_cleaning_input(options);
  const Labels all = {1, 2, -1, 1, 2, 0, -1, 2, 2};
  std::size_t missing = 0;
  for (std::size_t i = 0; i < input.row_numbers.size(); ++i) {
    EXPECT_EQ((*input.data.true_labels)[i], all[input.row_numbers[i] - 1]);
    missing += all[input.row_numbers[i] - 1] < 0;
  }
  EXPECT_EQ(input.missing_truths, missing);
}

TEST_F(CleaningInputFiles, IdxPairs) {
  std::vector<int> pixels, labels;
  for (int i = 0; i < 20; ++i) {
    labels.push_back(i % 2 + 3);
    for (const int p : {i, 255 - i, 7, 0}) pixels.push_back(p);
  }
  CleaningInputOptions options;
  options.train = file("images", data::idx(8, {20, 2, 2}, pixels)) + "," + file("labels", data::idx(8, {20}, labels));
  options.truth = file("truth", data::idx(8, {20}, labels));
  const auto input = read_cleaning_input(options);
  EXPECT_EQ(input.data.train.labels.size(), 16U);
  EXPECT_EQ(input.data.true_labels, input.data.train.labels);
  EXPECT_EQ(input.table.feature_name(3), "pixel (1, 1)");
  EXPECT_EQ(input.choices[0].used, "standardize") << "also for images";
  EXPECT_TRUE(has(input.notes, "one value in all images"));
  options.scaling = data::Scaling::unit;
  const auto unit = read_cleaning_input(options);
  EXPECT_NEAR(feature(unit.data.train.features, 0, 2), 7.0 / 255, 1e-8) << "single precision of 0.03";
  EXPECT_EQ(unit.choices[0].asked, "unit");
}

TEST_F(CleaningInputFiles, SparseRowsStaySparse) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += fmt::format("{} {}:{} 9:1\n", i % 2 == 0 ? "+1" : "-1", i % 4 + 1, 1 + i);
  CleaningInputOptions options;
  options.train = file("a.libsvm", text);
  options.valid = file("b.libsvm", "+1 1:3\n-1 2:4 3:1\n");
  const auto input = read_cleaning_input(options);
  EXPECT_TRUE(input.data.train.features.is_sparse());
  EXPECT_TRUE(input.data.trusted.features.is_sparse());
  EXPECT_EQ(input.data.train.features.features(), 5U) << "columns 5 to 8 hold nothing";
  EXPECT_EQ(feature(input.data.train.features, 0, 1), 0) << "not centred";
  EXPECT_EQ(feature(input.data.train.features, 0, 4), 0) << "constant";
  EXPECT_TRUE(has(input.notes, "not centred"));
  EXPECT_NE(input.choices[0].reason.find("sparse"), std::string::npos);
}

TEST_F(CleaningInputFiles, CleaningWorksOnWhatWasRead) {
  auto options = from_csv(90);
  options.corrupt = 0.2;
  const auto input = read_cleaning_input(options);
  CleaningOptions cleaning;
  cleaning.threads = 1;
  cleaning.stop.max_iterations = 3;
  const auto result = clean(input.data, cleaning);
  EXPECT_EQ(result.weights.size(), input.row_numbers.size());
  EXPECT_EQ(result.detection->wrong, 14U) << "a fifth of 72";
}

TEST_F(CleaningInputFiles, OptionsBySentence) {
  CleaningInputOptions options;
  auto table = described(options);
  table.set("scaling", "unit");
  table.set("precision", "float64");
  table.set("header", "no");
  table.set("corruption", "pairwise");
  table.set("corrupt", "0.4");
  EXPECT_EQ(options.scaling, data::Scaling::unit);
  EXPECT_EQ(options.precision, Precision::float64);
  EXPECT_EQ(options.header, data::Header::no);
  EXPECT_EQ(options.corruption, data::Corruption::pairwise);
  EXPECT_EQ(options.corrupt, 0.4);
  EXPECT_EQ(table.at("scaling").default_text, "auto");
  std::set<std::string> groups;
  for (const auto& entry : table.entries()) {
    groups.insert(entry.group);
    EXPECT_FALSE(entry.help.empty() || entry.allowed.empty()) << entry.name;
  }
  EXPECT_EQ(groups, (std::set<std::string>{"Input", "Texts", "Experiment", "Features"}));
  CleaningOptions cleaning;
  describe(table, cleaning);  // the two are declared side by side: no name may be used twice
}

/// Needs the package dataset-fashion-mnist. A few hundred rows keep it short; reading the files is most of the time.
TEST(CleaningInputDataset, FashionMnist) {
  CleaningInputOptions options;
  options.dataset = "fashion-mnist";
  options.train_rows = 300;
  options.valid_rows = 100;
  options.corrupt = 0.3;
  try {
    data::named_dataset(options.dataset);
  } catch (const InvalidInput& error) {
    GTEST_SKIP() << error.what();
  }
  const auto input = read_cleaning_input(options);
  EXPECT_EQ(input.data.classes, 10U);
  EXPECT_EQ(input.data.train.features.rows(), 300U);
  EXPECT_EQ(input.data.trusted.features.rows(), 100U);
  EXPECT_EQ(input.data.test->features.rows(), 10000U);
  EXPECT_EQ(input.table.class_names[9], "Ankle boot");
  EXPECT_EQ(input.train_source, "drawn from the 60,000 training rows of fashion-mnist");
  EXPECT_EQ(input.trusted_source, "drawn from the others of these");
  const auto order = Random(options.seed).permutation(60000);
  for (std::size_t i = 0; i < 300; ++i) ASSERT_EQ(input.row_numbers[i], order[i] + 1U);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 300; ++i) wrong += input.data.train.labels[i] != (*input.data.true_labels)[i];
  EXPECT_EQ(wrong, 90U);
  options.train_rows = 59901;
  data::expect_error<InvalidOption>([&] { read_cleaning_input(options); }, {"(59901)", "(100)", "the 60000 of"});
}

}  // namespace
}  // namespace bilevel
