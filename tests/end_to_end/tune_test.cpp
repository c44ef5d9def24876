// `bilevel tune` as a user runs it.
#include <fmt/format.h>

#include "bilevel/random.hpp"
#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Tune : public EndToEnd {
 protected:
  Tune() {
    write("train.csv", csv(sample({.rows = 90, .features = 4})));
    write("test.csv", csv(sample({.rows = 60, .features = 4, .wrong = 0, .seed = 3})));
    write("real.csv", real(60, 1));
  }

  /// size and colour say what the price is, luck does not.
  static std::string real(int rows, std::uint64_t seed) {
    Random random(seed);
    std::string text = "size,luck,colour,price\n";
    for (int i = 0; i < rows; ++i) {
      const double size = random.normal(), luck = random.normal();
      const bool red = random.uniform() < 0.5;
      text += fmt::format("{:.4f},{:.4f},{},{:.4f}\n", size, luck, red ? "red" : "blue",
                          20 + 3 * size + (red ? 1 : -1) + 0.5 * random.normal());
    }
    return text;
  }

  Json tune(Words words) const { return json_of("tune", std::move(words)); }

  void expect_refused(Words words, const std::string& part) const { expect_refused_by("tune", std::move(words), part); }
};

TEST_F(Tune, TellsWhatItChoseAndComparesIt) {
  const auto ended = bilevel({"tune", "--train", "train.csv", "--test", "test.csv", "--out", "o", "--quiet"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const char* part : {"training       90  train.csv", "each of 5 folds", "4 features, 3 classes", "Comparison",
                           "one weight, grid of 20, each from the last", "4 weights, tuned", "Weights (4 in all",
                           "Certificate", "oracle calls"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " in:\n" << ended.out;
  }
  EXPECT_EQ(listing("o"), "config.toml grid.csv model.csv result.json trace.jsonl weights.csv");
  const auto weights = lines_of(content("o/weights.csv"));
  EXPECT_EQ(weights.front(), "feature,log_weight,weight,coefficient_norm");
  EXPECT_EQ(weights.size(), 5U);
  EXPECT_EQ(weights[1].substr(0, 3), "x1,");
  EXPECT_EQ(lines_of(content("o/grid.csv")).size(), 21U);
}

TEST_F(Tune, ResultAgreesWithItsFiles) {
  const auto json = tune({"--train", "train.csv", "--penalty", "per-class", "--out", "o"});
  EXPECT_EQ(json["command"], "tune");
  EXPECT_EQ(json["weights"], 3);
  EXPECT_EQ(json["rows"]["folds"], 5);
  EXPECT_EQ(json["rows"]["valid"], 90);
  EXPECT_LE(json["models"]["warm_grid"]["valid_loss"], json["models"]["no_penalty"]["valid_loss"]);
  EXPECT_TRUE(json["models"]["cold_grid"].is_null());
  EXPECT_TRUE(json["models"]["tuned"]["test_loss"].is_null());
  EXPECT_EQ(lines_of(content("o/trace.jsonl")).size(), json["iterations"].get<std::size_t>());
  EXPECT_EQ(json, Json::parse(content("o/result.json")));
}

TEST_F(Tune, ModelPredictsInTheUnitsOfTheFile) {
  tune({"--train", "real.csv", "--label", "price", "--out", "o"});
  const auto lines = lines_of(content("o/model.csv"));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0], "feature,target");
  const auto number = [&](std::size_t line) { return std::stod(lines[line].substr(lines[line].rfind(',') + 1)); };
  // 60 rows with noise of 0.5: slopes are good to 0.5 / sqrt 60 = 0.065, three times that and some shrinkage allowed.
  EXPECT_EQ(lines[2].substr(0, 5), "size,");
  EXPECT_NEAR(number(2), 3, 0.3);
  EXPECT_NEAR(number(3), 0, 0.2);
  // blue and red share the difference of 2 as the penalty likes; at size 0 the mean of both is 20.
  EXPECT_NEAR(number(5) - number(4), 2, 0.5);
  EXPECT_NEAR(number(1) + (number(4) + number(5)) / 2, 20, 0.3);
}

TEST_F(Tune, GroupsShareAWeight) {
  const auto by_column = tune({"--train", "real.csv", "--label", "price", "--penalty", "per-group", "--out", "o"});
  EXPECT_EQ(by_column["weights"], 3) << "size, luck, and colour with its two values";
  const auto lines = lines_of(content("o/weights.csv"));
  EXPECT_EQ(lines[0], "group,log_weight,weight,coefficient_norm");
  EXPECT_EQ(lines[3].substr(0, 7), "colour,");

  write("groups.csv", "feature,group\nluck,noise\nsize,signal\ncolour=red,signal\ncolour=blue,signal\n");
  const auto by_file = tune(
      {"--train", "real.csv", "--label", "price", "--penalty", "per-group", "--groups", "groups.csv", "--out", "p"});
  EXPECT_EQ(by_file["weights"], 2);
  const auto weight = [&](std::size_t line) {
    const auto text = lines_of(content("p/weights.csv"))[line];
    return std::stod(text.substr(text.find(',') + 1));
  };
  EXPECT_EQ(lines_of(content("p/weights.csv"))[1].substr(0, 7), "signal,");
  EXPECT_LT(weight(1), weight(2)) << "luck is penalised more";
}

TEST_F(Tune, SameSeedSameResult) {
  const Words words{"--train", "train.csv", "--seed", "5", "--no-certificate", "--overwrite", "--out", "o"};
  tune(words);
  const auto weights = content("o/weights.csv"), model = content("o/model.csv");
  tune(words);
  EXPECT_EQ(content("o/weights.csv"), weights);
  EXPECT_EQ(content("o/model.csv"), model);
}

TEST_F(Tune, DrawsThePicture) {
  tune({"--train", "real.csv", "--no-certificate", "--out", "o", "--plot", "validation.svg"});
  EXPECT_NE(content("validation.svg").find("grid over one weight"), std::string::npos);
}

TEST_F(Tune, RefusesInOneSentence) {
  expect_refused({"--train", "train.csv", "--label", "kidn"}, "'kidn'");
  expect_refused({"--train", "train.csv", "--folds", "91"}, "option 'folds' is 91");
  expect_refused({"--train", "train.csv", "--penalty", "per-feeture"}, "per-feature");
  expect_refused({"--train", "train.csv", "--task", "regress"}, "is not a finite number");
  expect_refused({"--train", "real.csv", "--penalty", "per-class"}, "needs classes");
  expect_refused({"--train", "real.csv", "--plot", "picture.jpeg"}, ".png");
  expect_refused({}, "no training data");
  write("one.csv", "a,label\n1,x\n2,x\n3,x\n");
  expect_refused({"--train", "one.csv"}, "at least two classes");
  write("flat.csv", "a,label\n1,2.5\n2,2.5\n3,2.5\n");
  expect_refused({"--train", "flat.csv", "--task", "regress"}, "nothing to learn");
  write("gap.csv", "a,label\n1,2.5\n2,\n3,1.25\n");
  expect_refused({"--train", "gap.csv"}, "line 3");
  expect_refused({"--train", "absent.csv"}, "absent.csv");
  write("groups.csv", "size,a\nluk,b\n");
  const Words groups{"--train", "real.csv", "--label", "price", "--penalty", "per-group", "--groups", "groups.csv"};
  expect_refused(groups, "did you mean 'luck'?");
  write("groups.csv", "size,a\nluck,b\n");
  expect_refused(groups, "the feature 'colour=blue' has no group");
  expect_refused({"--train", "real.csv", "--label", "price", "--groups", "groups.csv"}, "needs --penalty per-group");
}

}  // namespace
}  // namespace bilevel::end_to_end
