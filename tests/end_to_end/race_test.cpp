// `bilevel race` as a user runs it.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Race : public EndToEnd {
 protected:
  Race() {
    write("game.toml",
          "[problem]\nname = \"pricing\"\nupper = \"-x*y1\"\n"
          "lower = \"(y1 - 4)^2 + (y2 - 3)^2 + y1*y2 + x*y1\"\n[start]\nx = [1]\ny = [0, 0]\n");
  }

  /// Three classes in clouds, a quarter of the training labels wrong.
  void write_rows() const {
    const auto train = sample({.rows = 90});
    write("train.csv", csv(train));
    write("train.svm", libsvm(train));
    write("truth.txt", truths(train));
    const auto valid = sample({.rows = 45, .wrong = 0, .seed = 2});
    write("valid.csv", csv(valid));
    write("valid.svm", libsvm(valid));
    write("test.csv", csv(sample({.rows = 150, .wrong = 0, .seed = 3})));
  }

  static Words files(const Words& more) {
    Words words{"--train", "train.csv", "--valid", "valid.csv", "--methods", "smbg,soba", "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  /// A race on the game.
  Running started(const Words& more) const {
    Words words{"race", "game.toml"};
    words.insert(words.end(), more.begin(), more.end());
    return start(words);
  }

  static void let_it_begin(const Running& running) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (running.said().find("pricing") == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the game was not read";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  Json race(const Words& words, int code = 0) const { return json_of("race", words, code); }

  /// The scores of a run's last judged moment are what stands beside the four numbers of every moment.
  static std::string scores_of(const Json& json) {
    std::string names;
    for (const auto& [key, value] : json["methods"][0]["runs"][0]["points"].back().items()) {
      if (key != "seconds" && key != "passes" && key != "iteration" && key != "value") names += key + ";";
    }
    return names;
  }

  void expect_refused(Words words, const std::string& part) const { expect_refused_by("race", std::move(words), part); }
};

TEST_F(Race, PrintsValuesTargetsWinsAndVerdicts) {
  const auto ended = bilevel({"race", "game.toml", "--methods", "smbg,bgs_opt,hoag", "--passes", "2000", "--seeds", "2",
                              "--quiet", "--plot", "race.svg", "--out", "o"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const char* part : {"pricing", "(medians over 2 seeds)", "to target", "certified local bilevel solution",
                           "Wins against each other", "a seed decides where a run starts"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " in:\n" << ended.out;
  }
  EXPECT_EQ(listing("o"), "config.toml points.csv result.json");
  EXPECT_EQ(lines_of(content("o/points.csv")).front(), "method,seed,seconds,passes,iteration,value");
  EXPECT_NE(content("race.svg").find("passes over the data"), std::string::npos);
}

TEST_F(Race, TheResultSaysWhatTheTableSays) {
  const auto ended = bilevel({"race", "game.toml", "--methods", "hoag", "--methods", "smbg", "--passes", "3000",
                              "--seeds", "2", "--quiet", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto json = Json::parse(ended.out);
  ASSERT_EQ(json["methods"].size(), 2U);
  // y1 = (10 - 2 x) / 3 at the follower's answer, so that -x y1 is least at x = 5/2 with -25/6.
  for (const auto& method : json["methods"]) EXPECT_NEAR(method["median_value"].get<double>(), -25.0 / 6, 1e-6);
  for (std::size_t s = 0; s < 2; ++s) {
    const auto& first = json["methods"][0]["runs"][s]["points"][0];
    EXPECT_EQ(first["value"], json["methods"][1]["runs"][s]["points"][0]["value"]) << "the same start for all";
    EXPECT_EQ(first["seconds"], 0.0);
  }
  EXPECT_TRUE(json["methods"][0]["runs"][0]["certificate"]["verdict"].is_string());
}

TEST_F(Race, OfOnesOwnFilesTheScoresAreThoseThatCanBeHad) {
  write_rows();
  const Words brief{"--passes", "200", "--seeds", "1"};
  const auto with = [&](Words more) {
    more.insert(more.end(), brief.begin(), brief.end());
    return scores_of(race(files(more)));
  };
  EXPECT_EQ(with({}), "");
  EXPECT_EQ(with({"--test", "test.csv"}), "test %;");
  EXPECT_EQ(with({"--truth", "truth.txt"}), "F1 %;");
  EXPECT_EQ(with({"--test", "test.csv", "--corrupt", "0.3"}), "F1 %;test %;");
  EXPECT_EQ(with({"--test", "test.csv", "--corrupt", "0"}), "test %;") << "no label is wrong";
}

TEST_F(Race, SaysWhatWasReadAndWhatASeedDecides) {
  write_rows();
  const auto said = [&](const Words& more) {
    Words words = files(more);
    words.insert(words.begin(), "race");
    words.insert(words.end(), {"--passes", "100", "--seeds", "2", "--quiet", "--no-certificate"});
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out;
  };
  const auto as_they_are = said({"--penalty-norm", "3", "--regularization", "0.01"});
  for (const char* part : {"cleaning train.csv, c = 0.01, p = 3", "training     90  train.csv",
                           "a seed decides only the methods' own random numbers", "the methods ", "the judge "}) {
    EXPECT_NE(as_they_are.find(part), std::string::npos) << part << " in:\n" << as_they_are;
  }
  const auto corrupted = said({"--corrupt", "0.2", "--corruption", "pairwise"});
  EXPECT_NE(corrupted.find("20 % of 90 labels wrong"), std::string::npos) << corrupted;
  EXPECT_NE(corrupted.find("a seed decides which labels are wrong"), std::string::npos) << corrupted;
  const auto held_out = bilevel({"race", "--train", "train.csv", "--methods", "soba", "--passes", "100", "--seeds", "2",
                                 "--quiet", "--corrupt", "0.2"});
  EXPECT_NE(held_out.out.find("a seed decides which rows are held out to be trusted, and which labels are wrong"),
            std::string::npos)
      << held_out.out;
}

TEST_F(Race, WithoutADrawTheSeedsShareTheirStart) {
  write_rows();
  const auto starts = [&](const Words& more) {
    Words words = files(more);
    words.insert(words.end(), {"--passes", "50", "--seeds", "2", "--no-certificate"});
    const auto json = race(words);
    std::vector<double> values;
    for (const auto& run : json["methods"][0]["runs"]) values.push_back(run["points"][0]["value"]);
    return values;
  };
  const auto fixed = starts({}), corrupted = starts({"--corrupt", "0.3"});
  EXPECT_EQ(fixed[0], fixed[1]);
  EXPECT_NE(corrupted[0], corrupted[1]);
}

TEST_F(Race, ReadsTheFormsThatCleanReads) {
  write_rows();
  const Words brief{"--methods", "soba", "--passes", "100", "--seeds", "1", "--threads", "1"};
  const auto values = [&](Words words) {
    words.insert(words.end(), brief.begin(), brief.end());
    return race(words)["methods"][0]["runs"][0]["points"][0]["value"].get<double>();
  };
  const double of_csv = values({"--train", "train.csv", "--valid", "valid.csv", "--scaling", "none"});
  const double of_libsvm = values({"--train", "train.svm", "--valid", "valid.svm", "--scaling", "none"});
  EXPECT_NEAR(of_csv, of_libsvm, 1e-4) << "the same rows, dense and sparse, in float32";

  for (const char* folder : {"mail/ham", "mail/spam"}) std::filesystem::create_directories(path(folder));
  for (int i = 0; i < 8; ++i) {
    const auto filler = std::string(" filler") + static_cast<char>('a' + i);
    write("mail/ham/" + std::to_string(i) + ".txt", "meeting" + filler);
    write("mail/spam/" + std::to_string(i) + ".txt", "lottery" + filler);
  }
  // Two words tell the classes, so that the trusted rows are learned better than by chance, log 2.
  EXPECT_LT(values({"--train", "mail", "--hold-out", "0.5"}), 0.6);
  EXPECT_LT(values({"--train", "ham:mail/ham,spam:mail/spam", "--valid", "mail"}), 0.6);
}

TEST_F(Race, EveryMethodEitherRunsOnRowsOrIsLeftOutWithAReason) {
  write_rows();
  const auto json = race({"--train", "train.csv", "--valid", "valid.csv", "--passes", "60", "--time", "5", "--seeds",
                          "1", "--points", "2", "--threads", "1", "--no-certificate"});
  EXPECT_EQ(json["methods"].size() + json["left_out"].size(), 21U);
  EXPECT_GE(json["methods"].size(), 19U) << json["left_out"];
}

TEST_F(Race, AMethodTakesItsOwnOptions) {
  write_rows();
  const auto words = files({"--passes", "300", "--seeds", "1", "--no-certificate", "--set", "smbg.inner-steps=2",
                            "--set", "soba.batch-size=8"});
  const auto json = race(words);
  EXPECT_EQ(json["asked"]["set"], "smbg.inner-steps=2,soba.batch-size=8");
  const auto plain = race(files({"--passes", "300", "--seeds", "1", "--no-certificate"}));
  const auto steps = [](const Json& of, const char* method) {
    for (const auto& one : of["methods"]) {
      if (one["method"] == method) return one["runs"][0]["points"].back()["iteration"].get<int>();
    }
    return 0;
  };
  EXPECT_GT(steps(json, "smbg"), steps(plain, "smbg")) << "2 follower's steps cost less than 20";
}

TEST_F(Race, ConfigTomlRunsTheSameRaceAgain) {
  write_rows();
  const auto first = race(files({"--passes", "100", "--seeds", "1", "--out", "o", "--set", "soba.batch-size=8"}));
  const auto again = race({"--config", "o/config.toml", "--out", "p"});
  EXPECT_EQ(again["name"], first["name"]);
  EXPECT_EQ(again["asked"]["set"], first["asked"]["set"]);
  EXPECT_EQ(again["asked"]["judge-tolerance"], first["asked"]["judge-tolerance"]);
  EXPECT_EQ(again["methods"].size(), 2U);
}

TEST_F(Race, AnInterruptKeepsTheSeedsThatAreThrough) {
  // A thousand seeds of a hundredth of a second take longer than this test waits, one does not.
  auto running = started({"--methods", "hoag", "--seeds", "1000", "--time", "0.01", "--out", "o", "--no-certificate"});
  let_it_begin(running);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  running.send(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_NE(ended.out.find("only the seeds before"), std::string::npos) << ended.out;
  EXPECT_EQ(listing("o"), "config.toml points.csv result.json");
  const auto json = Json::parse(content("o/result.json"));
  EXPECT_TRUE(json["stopped"].is_string());
  EXPECT_GE(json["best"].size(), 1U);
  EXPECT_LT(json["best"].size(), 1000U);
  EXPECT_EQ(json["methods"][0]["runs"].size(), json["best"].size());
}

TEST_F(Race, AnInterruptBeforeAMethodIsThroughLeavesNothingToCompare) {
  auto running = started({"--methods", "hoag", "--seeds", "1", "--time", "25", "--out", "o"});
  let_it_begin(running);
  running.send(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_NE(ended.err.find("nothing to compare"), std::string::npos) << ended.err;
  EXPECT_EQ(listing("o"), "none");
}

TEST_F(Race, KeepsWhatIsInOutUnlessToldTo) {
  std::filesystem::create_directories(path("o"));
  write("o/result.json", "mine");
  const Words words{"race",    "game.toml", "--methods", "hoag",  "--passes", "50",
                    "--seeds", "1",         "--quiet",   "--out", "o"};
  const auto refused = bilevel(words);
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--overwrite"), std::string::npos) << refused.err;
  EXPECT_EQ(content("o/result.json"), "mine");
  auto forced = words;
  forced.push_back("--overwrite");
  EXPECT_EQ(bilevel(forced).code, 0);
  EXPECT_EQ(listing("o"), "config.toml points.csv result.json");
}

TEST_F(Race, RefusesInOneSentence) {
  expect_refused({}, "no problem: give a game file");
  expect_refused({"game.toml", "--dataset", "fashion-mnist"}, "not both");
  expect_refused({"game.toml", "--train", "train.csv"}, "not both");
  expect_refused({"game.toml", "--corrupt", "0.5"}, "option 'corrupt' is about rows to be cleaned");
  expect_refused({"game.toml", "--methods", "smbgg"}, "did you mean 'smbg'?");
  expect_refused({"absent.toml"}, "absent.toml");
  expect_refused({"game.toml", "--time", "0"}, "time");
  expect_refused({"game.toml", "--plot", "race.jpeg"}, ".png");
  expect_refused({"game.toml", "--set", "smbg"}, "must be METHOD.NAME=VALUE");
  expect_refused({"game.toml", "--methods", "hoag", "--set", "smbg.inner-steps=2"}, "no method 'smbg' races");
  expect_refused({"game.toml", "--set", "smbg.inner-step=2"}, "did you mean 'inner-steps'?");
  expect_refused({"game.toml", "--set", "smbg.inner-steps=0"}, "'inner-steps' cannot be '0'");
}

TEST_F(Race, RefusesRowsThatCannotBeCleaned) {
  write_rows();
  expect_refused({"--train", "absent.csv"}, "absent.csv");
  expect_refused({"--train", "train.csv", "--valid", "absent.csv"}, "absent.csv");
  expect_refused({"--train", "train.csv", "--train-rows", "50"}, "option 'train-rows' needs 'dataset'");
  expect_refused({"--train", "train.csv", "--dataset", "fashion-mnist"}, "not both");
  expect_refused({"--dataset", "fashion-mnits"}, "fashion-mnist");
  expect_refused(files({"--truth", "truth.txt", "--corrupt", "0.2"}), "do not go together");
  expect_refused(files({"--penalty-norm", "1.5"}), "penalty-norm");
  write("one.csv", "x1,x2,kind\n1,2,class0\n3,4,class0\n");
  expect_refused({"--train", "one.csv", "--valid", "valid.csv"}, "class");
  write("two.csv", "x1,x2,kind\n1,2,class0\n3,4,class1\n");
  expect_refused({"--train", "two.csv", "--seeds", "50"}, "class");
}

}  // namespace
}  // namespace bilevel::end_to_end
