// Runs that are stopped from outside, and readers that go away.
#include <signal.h>

#include <chrono>
#include <thread>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Signals : public EndToEnd {
 protected:
  Signals() {
    write("train.csv", csv(sample({.rows = 90})));
    write("valid.csv", csv(sample({.rows = 45, .wrong = 0, .seed = 2})));
  }

  static Words endless() {
    return {"clean", "--train",       "train.csv", "--valid",          "valid.csv", "--label",
            "kind",  "--out",         "o",         "--max-iterations", "100000000", "--tolerance",
            "0",     "--improvement", "0",         "--json",           "--threads", "1"};
  }

  /// Until some steps are done.
  void let_it_step(Running& running) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (lines_of(content("o/trace.jsonl")).size() < 5) {
      ASSERT_FALSE(running.has_ended());
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no step was done";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void expect_stops(int signal) const {
    auto running = start(endless());
    let_it_step(running);
    running.send(signal);
    const auto ended = running.wait();
    EXPECT_EQ(ended.code, 130) << ended.err;
    EXPECT_EQ(listing("o"), kAllFiles);
    const auto json = Json::parse(ended.out);
    EXPECT_EQ(json["status"], "interrupted");
    EXPECT_GE(json["iterations"], 5);
    EXPECT_EQ(lines_of(content("o/trace.jsonl")).size(), json["iterations"]);
    EXPECT_TRUE(json["metrics"]["valid_accuracy"].is_number());
    EXPECT_EQ(lines_of(content("o/weights.csv")).size(), 91U);
    EXPECT_NE(ended.err.find("stopping after this step"), std::string::npos);
  }
};

TEST_F(Signals, InterruptStopsAfterTheStepAndWritesEverything) { expect_stops(SIGINT); }

TEST_F(Signals, TerminateDoesToo) { expect_stops(SIGTERM); }

TEST_F(Signals, ATerminalThatClosesDoesToo) { expect_stops(SIGHUP); }

TEST_F(Signals, AKilledRunLeavesWholeLines) {
  auto running = start(endless());
  let_it_step(running);
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().code, 128 + SIGKILL);
  const auto trace = content("o/trace.jsonl");
  EXPECT_EQ(trace.back(), '\n');
  int step = 0;
  for (const auto& line : lines_of(trace)) EXPECT_EQ(Json::parse(line)["iteration"], ++step);
  EXPECT_NE(listing("o").find("config.toml"), std::string::npos);
  EXPECT_EQ(listing("o").find("result.json"), std::string::npos);
}

TEST_F(Signals, ATimeLimitStopsTheRun) {
  auto words = endless();
  words.insert(words.end(), {"--time-limit", "0.05"});
  const auto ended = bilevel(words);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(Json::parse(ended.out)["status"], "budget_reached");
}

TEST_F(Signals, AReaderThatLeavesEarlyCostsNoFile) {
  const Words words{"clean", "--train", "train.csv", "--valid", "valid.csv", "--label", "kind", "--out", "o"};
  const auto ended = bilevel(words, "| head -n 1");
  EXPECT_EQ(ended.out, "Read\n");
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(listing("o"), kAllFiles);
  EXPECT_EQ(bilevel({"clean", "--help"}, "| true").err, "");
}

TEST_F(Signals, ClosedStandardStreamsDoNotLeakIntoFiles) {
  const Words words{"clean", "--train", "train.csv", "--valid", "valid.csv", "--label", "kind", "--out", "o", "--json"};
  EXPECT_EQ(bilevel(words, "<&- >&- 2>&-").code, 0);
  EXPECT_EQ(listing("o"), kAllFiles);
  for (const auto& line : lines_of(content("o/trace.jsonl"))) EXPECT_TRUE(Json::parse(line).contains("iteration"));
}

}  // namespace
}  // namespace bilevel::end_to_end
