// What a run prints and leaves behind.
#include <fmt/format.h>

#include <set>
#include <sstream>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Run : public EndToEnd {
 protected:
  Run() : train_(sample({})) {
    write("train.csv", csv(train_));
    write("truth.txt", truths(train_));
    write("valid.csv", csv(sample({.rows = 60, .wrong = 0, .seed = 2})));
    write("test.csv", csv(sample({.rows = 90, .wrong = 0, .seed = 3})));
  }

  static Words everything() {
    return {"--train", "train.csv", "--valid", "valid.csv", "--test",    "test.csv",
            "--truth", "truth.txt", "--label", "kind",      "--threads", "1"};
  }
  static Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  Sample train_;
};

TEST_F(Run, TellsEachPartOnStandardOutput) {
  const auto ended = bilevel(with({"clean", "--out", "o"}, everything()));
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const char* part :
       {"Read\n", "training    150  train.csv", "trusted      60  valid.csv", "test         90  test.csv",
        "2 features, 3 classes; rows per class from", "Chosen automatically", "inner-step-size", "before: all rows",
        "after: all rows, learned weights", "ceiling: the right rows alone", "rows are suspect", "are really wrong",
        "Most suspicious rows", "leader steps, best at step", "oracle calls  follower", "files         o"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << "missing: " << part << "\nin:\n" << ended.out;
  }
  EXPECT_EQ(listing("o"), kAllFiles);
}

TEST_F(Run, JsonIsOneObjectWithEveryKey) {
  const auto json = clean(with({"--out", "o"}, everything()));
  for (const char* key : {"status", "message", "iterations", "seconds", "metrics", "oracle_calls", "asked", "used"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  const auto& metrics = json["metrics"];
  for (const char* key :
       {"test_accuracy", "valid_accuracy", "noisy_test_accuracy", "trusted_test_accuracy", "ceiling_test_accuracy"}) {
    ASSERT_TRUE(metrics[key].is_number()) << key;
    EXPECT_GE(metrics[key], 0.8) << key << ": the clouds hardly overlap";
    EXPECT_LE(metrics[key], 1.0) << key;
  }
  for (const char* key : {"precision", "recall", "f1", "auc"}) {
    ASSERT_TRUE(metrics["detection"][key].is_number()) << key;
    EXPECT_GE(metrics["detection"][key], 0.8) << key << ": a wrong row stands in another cloud";
  }
  EXPECT_GE(json["iterations"], 1);
  EXPECT_GT(json["oracle_calls"]["lower"]["grad_y"], 0);
  EXPECT_EQ(json["asked"]["inner-steps"], "auto");
  EXPECT_NE(json["used"]["inner-steps"], "auto");
  EXPECT_EQ(json, Json::parse(content("o/result.json"))) << "the file says the same";
}

TEST_F(Run, EachAutomaticChoiceIsSaid) {
  const auto json = clean(with({"--out", "o"}, everything()));
  for (const char* option : {"scaling", "regularization", "inner-steps", "inner-step-size", "outer-step-size"}) {
    EXPECT_EQ(json["asked"][option], "auto") << option;
    EXPECT_NE(json["used"][option], "auto") << option;
    EXPECT_FALSE(json["reasons"][option].get<std::string>().empty()) << option;
  }
}

TEST_F(Run, TraceHasOneObjectAStep) {
  const auto json = clean(with({"--out", "o"}, everything()));
  const auto lines = lines_of(content("o/trace.jsonl"));
  ASSERT_EQ(static_cast<int>(lines.size()), json["iterations"].get<int>());
  double seconds = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto row = Json::parse(lines[i]);
    EXPECT_EQ(row["iteration"], i + 1);
    EXPECT_GE(row["seconds"].get<double>(), seconds);
    seconds = row["seconds"];
    for (const char* key : {"upper", "lower", "hypergradient_norm", "lower_residual"}) {
      EXPECT_TRUE(row[key].is_number()) << key;
    }
    EXPECT_GE(row["lower_calls"]["grad_y"], i + 1);
    EXPECT_EQ(row["upper_calls"]["value"], i + 1);
  }
}

TEST_F(Run, WeightsRankEachRowOnce) {
  clean(with({"--out", "o"}, everything()));
  const auto lines = lines_of(content("o/weights.csv"));
  ASSERT_EQ(lines.size(), train_.rows.size() + 1);
  EXPECT_EQ(lines[0], "row,label,suggested_label,weight,rank");
  std::set<std::size_t> ranks;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::istringstream fields(lines[i]);
    std::string row, label, suggested, weight, rank;
    std::getline(fields, row, ',') && std::getline(fields, label, ',') && std::getline(fields, suggested, ',') &&
        std::getline(fields, weight, ',') && std::getline(fields, rank);
    EXPECT_EQ(row, std::to_string(i)) << "rows stand in the order of the file";
    EXPECT_EQ(label, fmt::format("class{}", train_.given[i - 1]));
    EXPECT_GT(std::stod(weight), 0);
    EXPECT_LT(std::stod(weight), 1);
    EXPECT_EQ(suggested == label, std::stod(weight) >= 0.5) << "suspects, and only they, get another label";
    ranks.insert(std::stoul(rank));
  }
  EXPECT_EQ(ranks.size(), train_.rows.size());
  EXPECT_EQ(*ranks.begin(), 1U);
  EXPECT_EQ(*ranks.rbegin(), train_.rows.size());
}

/// The lines of train.csv that cleaned.csv should hold, from weights.csv.
std::string without_suspects(const std::string& train, const std::string& weights) {
  auto rows = lines_of(train);
  std::set<std::size_t> suspects;
  for (const auto& line : lines_of(weights)) {
    if (line.starts_with("row,")) continue;
    const auto weight_end = line.rfind(',');
    const auto weight_start = line.rfind(',', weight_end - 1) + 1;
    if (std::stod(line.substr(weight_start)) < 0.5) suspects.insert(std::stoul(line));
  }
  EXPECT_GT(suspects.size(), 0U);
  std::string kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!suspects.contains(i)) kept += rows[i] + "\n";
  }
  return kept;
}

TEST_F(Run, CleanedIsTheOriginalWithoutSuspects) {
  clean(with({"--out", "o"}, everything()));
  EXPECT_EQ(content("o/cleaned.csv"), without_suspects(content("train.csv"), content("o/weights.csv")));
}

TEST_F(Run, HeldOutRowsStayInCleaned) {
  const auto json = clean({"--train", "train.csv", "--label", "kind", "--hold-out", "0.4", "--out", "o"});
  EXPECT_EQ(json["rows"]["train"], 90);
  EXPECT_EQ(json["rows"]["trusted"], 60);
  EXPECT_EQ(lines_of(content("o/weights.csv")).size(), 91U) << "believed rows have no weight";
  EXPECT_EQ(content("o/cleaned.csv"), without_suspects(content("train.csv"), content("o/weights.csv")));
}

TEST_F(Run, TheConfigFileRepeatsTheRunToTheLastBit) {
  const auto first = clean(with({"--out", "a", "--corrupt", "0.1"}, {"--train", "train.csv", "--valid", "valid.csv",
                                                                     "--test", "test.csv", "--threads", "1"}));
  const auto second = clean({"--config", "a/config.toml", "--out", "b"});
  EXPECT_EQ(first["metrics"], second["metrics"]);
  EXPECT_EQ(first["message"], second["message"]);
  EXPECT_EQ(first["oracle_calls"], second["oracle_calls"]);
  EXPECT_EQ(content("a/weights.csv"), content("b/weights.csv"));
  EXPECT_EQ(content("a/cleaned.csv"), content("b/cleaned.csv"));
}

TEST_F(Run, NothingIsSaidOnStandardErrorWhenQuiet) {
  EXPECT_EQ(bilevel(with({"clean", "--quiet", "--out", "o"}, everything())).err, "");
}

}  // namespace
}  // namespace bilevel::end_to_end
