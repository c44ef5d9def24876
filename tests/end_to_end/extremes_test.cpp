// Data of unusual shapes.
#include <fmt/format.h>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Extremes : public EndToEnd {
 protected:
  Json clean_sample(const SampleOptions& options, std::size_t trusted, Words more = {}) const {
    const auto train = sample(options);
    write("train.csv", csv(train));
    write("truth.txt", truths(train));
    auto valid = options;
    valid.rows = trusted;
    valid.wrong = 0;
    valid.seed = options.seed + 1;
    write("valid.csv", csv(sample(valid)));
    more.insert(more.begin(), {"--train", "train.csv", "--valid", "valid.csv", "--truth", "truth.txt", "--label",
                               "kind", "--out", "o", "--overwrite"});
    auto json = clean(more);
    EXPECT_EQ(listing("o"), kAllFiles);
    EXPECT_EQ(lines_of(content("o/weights.csv")).size(), options.rows + 1);
    return json;
  }
};

TEST_F(Extremes, TwoClasses) {
  EXPECT_GT(clean_sample({.rows = 80, .classes = 2}, 40)["metrics"]["detection"]["f1"], 0.8);
}

TEST_F(Extremes, AThousandClasses) {
  const auto json =
      clean_sample({.rows = 3000, .classes = 1000, .wrong = 0.02}, 1000,
                   {"--max-iterations", "2", "--inner-steps", "5", "--no-comparators", "--regularization", "1e-3"});
  EXPECT_EQ(json["rows"]["classes"], 1000);
}

TEST_F(Extremes, OneFeature) {
  EXPECT_GT(clean_sample({.rows = 80, .features = 1, .classes = 2}, 40)["metrics"]["detection"]["f1"], 0.8);
}

TEST_F(Extremes, MoreFeaturesThanRows) {
  const auto json = clean_sample({.rows = 30, .features = 200}, 30);
  EXPECT_EQ(json["rows"]["features"], 200);
  EXPECT_EQ(json["rows"]["train"], 30);
}

TEST_F(Extremes, EveryLabelWrong) {
  const auto json = clean_sample({.rows = 90, .wrong = 1}, 45);
  EXPECT_EQ(json["metrics"]["detection"]["wrong"], 90);
  EXPECT_TRUE(json["metrics"]["detection"]["auc"].is_null() || json["metrics"]["detection"]["auc"].is_number());
  EXPECT_GT(json["metrics"]["detection"]["recall"], 0.8);
  EXPECT_TRUE(json["metrics"]["ceiling_test_accuracy"].is_null());
}

TEST_F(Extremes, NoLabelWrong) {
  const auto json = clean_sample({.rows = 90, .wrong = 0}, 45);
  EXPECT_EQ(json["metrics"]["detection"]["wrong"], 0);
  EXPECT_LE(json["suspects"], 9) << "a tenth, where clouds overlap";
}

TEST_F(Extremes, CorruptNothingAndEverything) {
  write("train.csv", csv(sample({.rows = 90, .wrong = 0})));
  write("valid.csv", csv(sample({.rows = 45, .wrong = 0, .seed = 2})));
  const Words words{"--train", "train.csv", "--valid", "valid.csv", "--label", "kind", "--out", "o", "--overwrite"};
  for (const auto& [share, wrong] : {std::pair{"0", 0}, std::pair{"1", 90}}) {
    auto more = words;
    more.insert(more.end(), {"--corrupt", share});
    EXPECT_EQ(clean(more)["metrics"]["detection"]["wrong"], wrong);
  }
}

TEST_F(Extremes, ComparatorsOffLeavesThemOut) {
  const auto json = clean_sample({.rows = 90}, 45, {"--no-comparators", "--test", "valid.csv"});
  EXPECT_TRUE(json["metrics"]["test_accuracy"].is_number());
  EXPECT_TRUE(json["metrics"]["noisy_test_accuracy"].is_null());
  EXPECT_TRUE(json["metrics"]["ceiling_test_accuracy"].is_null());
}

TEST_F(Extremes, ConstantColumnsAreSaid) {
  std::string text = "a,b,label\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},7,{}\n", i % 2 * 3 + 0.01 * i, i % 2 == 0 ? "x" : "y");
  write("train.csv", text);
  const auto json = clean({"--train", "train.csv", "--out", "o"});
  EXPECT_NE(json["notes"].dump().find("'b'"), std::string::npos) << json["notes"];
  text = "a,label\n";
  for (int i = 0; i < 40; ++i) text += i % 2 == 0 ? "7,x\n" : "7,y\n";
  write("train.csv", text);
  clean({"--train", "train.csv", "--out", "only-constant"});
}

TEST_F(Extremes, AClassWithASingleRow) {
  auto text = csv(sample({.rows = 60}));
  text += "9,9,rare\n";
  write("train.csv", text);
  EXPECT_EQ(clean({"--train", "train.csv", "--label", "kind", "--out", "o"})["rows"]["classes"], 4);
}

TEST_F(Extremes, FewestRows) {
  write("train.csv", "a,label\n1,x\n2,y\n");
  write("valid.csv", "a,label\n1.1,x\n2.1,y\n");
  clean({"--train", "train.csv", "--valid", "valid.csv", "--out", "o"});
  EXPECT_EQ(listing("o"), kAllFiles);
  const auto ended = bilevel({"clean", "--train", "train.csv", "--out", "p", "--quiet"});
  EXPECT_EQ(ended.code, 2) << "one row cannot be both trusted and of two classes";
  EXPECT_EQ(listing("p"), "none");
}

TEST_F(Extremes, LargeAndTinyFeatures) {
  for (const char* scale : {"e30", "e-30"}) {
    std::string text = "a,b,label\n";
    for (int i = 0; i < 60; ++i) {
      text += fmt::format("{}{},{},{}\n", i % 2 * 3 + 0.01 * i, scale, i, i % 2 == 0 ? "x" : "y");
    }
    write("train.csv", text);
    const auto json = clean({"--train", "train.csv", "--out", "o", "--overwrite"});
    EXPECT_GT(json["metrics"]["valid_accuracy"], 0.9) << "standardizing brings them back; scale " << scale;
  }
}

}  // namespace
}  // namespace bilevel::end_to_end
