// Every value of every choice cleans the same small data, or says why it cannot.
#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Choices : public EndToEnd {
 protected:
  Choices() {
    write("train.csv", csv(sample({.rows = 90})));
    write("valid.csv", csv(sample({.rows = 45, .wrong = 0, .seed = 2})));
    const auto train = sample({.rows = 90});
    write("truth.txt", truths(train));
  }

  Json clean_with(Words more, int code = 0) const {
    more.insert(more.begin(), {"--train", "train.csv", "--valid", "valid.csv", "--truth", "truth.txt", "--label",
                               "kind", "--no-comparators", "--out", "o", "--overwrite"});
    auto json = clean(more, code);
    EXPECT_EQ(listing("o"), kAllFiles);
    return json;
  }

  /// The run worked, and found most of the wrong rows without flagging many right ones.
  void expect_cleans(const Words& more) const {
    const auto json = clean_with(more);
    // Chance is 0.33 at 25 % wrong; the clouds overlap enough to cost some rows, and some steps are made short.
    EXPECT_GT(json["metrics"]["detection"]["f1"], 0.75) << testing::PrintToString(more);
  }
};

TEST_F(Choices, Hypergradient) {
  for (const char* value : {"unrolled", "truncated", "forward", "implicit"}) expect_cleans({"--hypergradient", value});
  expect_cleans({"--hypergradient", "truncated", "--truncated-steps", "1"});
  expect_cleans({"--hypergradient", "implicit", "--precision", "float64", "--cg-tolerance", "1e-9"});
}

TEST_F(Choices, Leader) {
  for (const char* value : {"adam", "gradient-descent"}) expect_cleans({"--outer", value});
}

TEST_F(Choices, Memory) {
  for (const char* value : {"store", "checkpoint"}) expect_cleans({"--memory", value});
  expect_cleans({"--memory", "checkpoint", "--checkpoints", "1"});
}

TEST_F(Choices, MemoryPlansAgree) {
  const auto upper = [&](const char* plan, const char* step) {
    return clean_with(
               {"--memory", plan, "--precision", "float64", "--inner-steps", "20", "--inner-step-size", step})["upper"]
        .get<double>();
  };
  // The reversible plan loses six digits of sixteen at most, and a step of the leader passes errors on as they are.
  EXPECT_EQ(upper("store", "2"), upper("checkpoint", "2"));
  EXPECT_NEAR(upper("store", "2"), upper("reversible", "2"), 1e-6);
}

TEST_F(Choices, ReversibleMemoryNeedsDoublePrecision) {
  expect_cleans({"--memory", "reversible", "--precision", "float64"});
  expect_cleans({"--memory", "reversible", "--precision", "float64", "--inner-steps", "60"});
  expect_cleans({"--memory", "reversible", "--precision", "float64", "--hypergradient", "truncated"});
  const auto ended = bilevel({"clean", "--train", "train.csv", "--valid", "valid.csv", "--label", "kind", "--memory",
                              "reversible", "--quiet", "--out", "single"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
  EXPECT_NE(ended.err.find("--precision float64"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("--memory checkpoint"), std::string::npos) << ended.err;
}

TEST_F(Choices, ScalingAndPrecision) {
  for (const char* value : {"auto", "standardize", "unit", "none"}) expect_cleans({"--scaling", value});
  for (const char* value : {"float32", "float64"}) expect_cleans({"--precision", value});
}

TEST_F(Choices, WarmAndColdStart) {
  expect_cleans({"--warm-start"});
  expect_cleans({"--no-warm-start"});
}

TEST_F(Choices, Threads) {
  for (const char* value : {"0", "1", "2", "7"}) expect_cleans({"--threads", value});
}

TEST_F(Choices, Penalty) {
  expect_cleans({"--penalty-norm", "3"});
  expect_cleans({"--regularization", "0.01"});
  clean_with({"--regularization", "0"});
}

TEST_F(Choices, AStepThatDivergesIsRolledBackAndNamed) {
  for (const char* step : {"1000", "30"}) {
    const auto json = clean_with({"--inner-step-size", step}, 2);
    EXPECT_EQ(json["status"], "diverged");
    const auto message = json["message"].get<std::string>();
    EXPECT_NE(message.find("rose from"), std::string::npos) << message;
    EXPECT_NE(message.find(std::string("inner-step-size ") + step), std::string::npos) << message;
    EXPECT_NE(message.find("below 2 / L"), std::string::npos) << message;
    EXPECT_EQ(json["iterations"], 0) << "the step before is kept";
    EXPECT_TRUE(json["metrics"]["valid_accuracy"].is_number());
  }
  const auto json = clean_with({"--inner-step-size", "1e300"}, 2);
  EXPECT_EQ(json["status"], "nonfinite");
  const auto ended = bilevel({"clean", "--train", "train.csv", "--valid", "valid.csv", "--quiet", "--out", "o",
                              "--overwrite", "--label", "kind", "--inner-step-size", "1000"});
  EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
  EXPECT_NE(ended.err.find("inner-step-size 1000"), std::string::npos) << ended.err;
}

TEST_F(Choices, ARegularizationBeyondAllBoundsIsNoCrash) {
  // Norms do not overflow with it: the model is held at zero, and nothing improves.
  const auto json = clean_with({"--regularization", "1e300"}, 0);
  EXPECT_EQ(json["status"], "stagnated");
}

TEST_F(Choices, ExperimentOptions) {
  for (const char* corruption : {"uniform", "pairwise"}) {
    const auto json = clean({"--train", "valid.csv", "--label", "kind", "--hold-out", "0.5", "--corrupt", "0.25",
                             "--corruption", corruption, "--out", "o", "--overwrite"});
    EXPECT_EQ(json["metrics"]["detection"]["wrong"], 6) << "of the 22 that train";
  }
}

}  // namespace
}  // namespace bilevel::end_to_end
