// From files to the parts that tuning works on.
#include "bilevel/tuning_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "data/files.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::message_of;

class TuningInputFiles : public data::DataTest {
 protected:
  /// Columns a, colour and target; the target is 1.5 i, or a class.
  static std::string csv(int rows, bool real, double first = 0) {
    std::string text = "a,colour,target\n";
    for (int i = 0; i < rows; ++i) {
      const auto target = real ? fmt::format("{}", 1.5 * i + first) : std::string(i % 3 == 0 ? "yes" : "no");
      text += fmt::format("{},{},{}\n", (i * 7) % 11, i % 2 == 0 ? "red" : "\"light, blue\"", target);
    }
    return text;
  }
  TuningInputOptions from(const std::string& content, const std::string& name = "train.csv") const {
    TuningInputOptions options;
    options.train = file(name, content);
    return options;
  }
};

std::string used(const TuningInput& input, std::string_view option) {
  for (const auto& choice : input.choices) {
    if (choice.option == option) return choice.used;
  }
  return "not chosen";
}

const std::vector<double>& real(const TuningRows& rows) { return std::get<std::vector<double>>(rows.targets); }

TEST_F(TuningInputFiles, NumbersWithFractionsAreRegressed) {
  const auto input = read_tuning_input(from(csv(30, true)));
  EXPECT_EQ(input.data.classes, 0U);
  EXPECT_EQ(used(input, "task"), "regress");
  EXPECT_EQ(used(input, "folds"), "5");
  EXPECT_EQ(input.feature_names, (std::vector<std::string>{"a", "colour=light, blue", "colour=red"}));
  ASSERT_EQ(input.data.folds.size(), 5U);
  for (const auto& fold : input.data.folds) {
    EXPECT_EQ(fold.train.features.rows(), 24U);
    EXPECT_EQ(fold.valid.features.rows(), 6U);
  }
  // 0, 1.5, .., 43.5: mean 21.75, deviation 1.5 sqrt((30^2 - 1) / 12).
  EXPECT_DOUBLE_EQ(input.target_mean, 21.75);
  EXPECT_NEAR(input.target_scale, 1.5 * std::sqrt(899.0 / 12), 1e-12);
  for (int i = 0; i < 30; ++i) {
    EXPECT_NEAR(input.target_mean + input.target_scale * real(input.data.all)[static_cast<std::size_t>(i)], 1.5 * i,
                1e-12);
  }
}

TEST_F(TuningInputFiles, EveryRowValidatesOnce) {
  const auto input = read_tuning_input(from(csv(31, true)));
  std::vector<double> validated;
  for (const auto& fold : input.data.folds) {
    validated.insert(validated.end(), real(fold.valid).begin(), real(fold.valid).end());
  }
  std::sort(validated.begin(), validated.end());
  EXPECT_EQ(validated, real(input.data.all)) << "the targets of the file ascend";
}

TEST_F(TuningInputFiles, FoldsHoldEachClassInProportion) {
  auto options = from(csv(30, false));
  options.folds = 5;
  const auto input = read_tuning_input(options);
  EXPECT_EQ(input.data.classes, 2U);
  EXPECT_EQ(input.class_names, (std::vector<std::string>{"no", "yes"}));
  for (const auto& fold : input.data.folds) {
    const auto& labels = std::get<std::vector<std::int32_t>>(fold.valid.targets);
    EXPECT_EQ(std::count(labels.begin(), labels.end(), 1), 2) << "10 of the 30 rows";
  }
}

TEST_F(TuningInputFiles, SameSeedSameFolds) {
  auto options = from(csv(30, true));
  const auto first = read_tuning_input(options), again = read_tuning_input(options);
  options.seed = 2;
  const auto other = read_tuning_input(options);
  EXPECT_EQ(real(first.data.folds[0].valid), real(again.data.folds[0].valid));
  EXPECT_NE(real(first.data.folds[0].valid), real(other.data.folds[0].valid));
}

TEST_F(TuningInputFiles, FilesOfTheirOwnHaveTargetsThatTrainingLacks) {
  auto options = from(csv(30, true));
  options.valid = file("valid.csv", csv(9, true, 0.25));
  options.test = file("test.csv", "target,colour,a\n1000,red,3\n");  // matched by name
  const auto input = read_tuning_input(options);
  ASSERT_EQ(input.data.folds.size(), 1U);
  EXPECT_EQ(input.data.folds[0].train.features.rows(), 30U);
  EXPECT_EQ(input.data.folds[0].valid.features.rows(), 9U);
  EXPECT_NEAR(real(input.data.folds[0].valid)[0], (0.25 - input.target_mean) / input.target_scale, 1e-12);
  ASSERT_TRUE(input.data.test);
  EXPECT_NEAR(real(*input.data.test)[0], (1000 - input.target_mean) / input.target_scale, 1e-12);
}

TEST_F(TuningInputFiles, AShareHeldOutLeavesTheScaleToTheOthers) {
  auto options = from(csv(30, true));
  options.hold_out = 0.2;
  const auto input = read_tuning_input(options);
  ASSERT_EQ(input.data.folds.size(), 1U);
  EXPECT_EQ(input.data.folds[0].valid.features.rows(), 6U);
  EXPECT_EQ(input.data.all.features.rows(), 30U);
  double sum = 0;
  for (const double target : real(input.data.folds[0].train)) sum += target;
  EXPECT_NEAR(sum, 0, 1e-12) << "the mean of the training rows";
}

TEST_F(TuningInputFiles, FewWholeNumbersAreClassesUnlessAsked) {
  std::string text = "a,target\n";
  for (int i = 0; i < 12; ++i) text += fmt::format("{},{}\n", i, i % 4);
  auto options = from(text);
  EXPECT_EQ(read_tuning_input(options).data.classes, 4U);
  options.task = TuningTask::regress;
  EXPECT_EQ(read_tuning_input(options).data.classes, 0U);
}

TEST_F(TuningInputFiles, ConstantColumnsAreNotedAndHarmless) {
  const auto input = read_tuning_input(from("a,b,target\n1,5,0.5\n2,5,1.5\n3,5,0.25\n4,5,3\n5,5,2\n6,5,1\n"));
  ASSERT_FALSE(input.notes.empty());
  EXPECT_NE(input.notes[0].find("'b'"), std::string::npos) << input.notes[0];
  const auto result = tune(input.data, {});
  EXPECT_TRUE(result.log_weights.allFinite());
  EXPECT_EQ(result.coefficient_norms[1], 0);
}

TEST_F(TuningInputFiles, RefusesInOneSentence) {
  const auto refused = [&](const TuningInputOptions& options, std::string_view part) {
    const auto message = message_of<Error>([&] { read_tuning_input(options); });
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  };
  auto options = from(csv(12, true));
  options.folds = 13;
  refused(options, "option 'folds' is 13, but");
  options.folds = 1;
  refused(options, "folds");
  options.folds = 3;
  options.hold_out = 0.5;
  refused(options, "give one of 'valid', 'folds' and 'hold-out'");
  options = from(csv(12, false));
  options.task = TuningTask::regress;
  refused(options, "row 1 (line 2): the target 'yes' is not a finite number");
  options = from("a,target\n1,2.5\n2,2.5\n3,2.5\n");
  options.task = TuningTask::regress;
  refused(options, "the target is 2.5 in all 3 training rows");
  refused(from("a,target\n1,x\n2,x\n"), "at least two classes");
  refused(from("a,target\n1,0.5\n2,\n3,1.5\n"), "line 3");
  options = from(csv(12, true));
  options.label = "tarjet";
  refused(options, "'target'");
  options = {};
  refused(options, "no training data");
}

}  // namespace
}  // namespace bilevel
