// No run takes away what is not its own: inputs, an earlier run's files, another run's directory.
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

namespace fs = std::filesystem;

class Safety : public EndToEnd {
 protected:
  Safety() {
    write("train.csv", csv(sample({.rows = 60})));
    write("valid.csv", csv(sample({.rows = 45, .wrong = 0, .seed = 2})));
    write("game.toml", kGame);
  }

  static constexpr std::string_view kGame =
      "[problem]\nupper = '(x - 1)^2 + y^2'\nlower = '(y - x)^2'\n[start]\nx = [0.2]\ny = [0.5]\n";

  static Words cleaning(Words more) {
    Words words{"clean", "--train", "train.csv", "--label", "kind", "--out", "o", "--quiet", "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static Words endless(Words more) {
    more.insert(more.end(), {"--max-iterations", "100000000", "--tolerance", "0", "--improvement", "0"});
    return cleaning(std::move(more));
  }

  std::string everything_in(const std::string& name) const {
    std::string all;
    for (const auto& file : {"config.toml", "result.json", "trace.jsonl", "weights.csv", "cleaned.csv"}) {
      all += content(name + "/" + file);
    }
    return all;
  }

  void let_it_step(Running& running, const std::string& trace) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (lines_of(content(trace)).size() < 3) {
      ASSERT_FALSE(running.has_ended()) << running.wait().err;
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no step was done";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  /// The run must be refused, name `part`, and leave the earlier run in "o" as it is.
  void expect_untouched(const Words& words, const std::string& part) const {
    const auto before = everything_in("o");
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 2) << part << ended.err;
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
    EXPECT_TRUE(everything_in("o") == before) << part;
    EXPECT_EQ(listing("o.unfinished-001"), "none");
  }
};

TEST_F(Safety, AnInputIsNeverReplaced) {
  ASSERT_EQ(bilevel(cleaning({})).code, 0);
  fs::create_symlink(path("o/cleaned.csv"), path("link.csv"));
  fs::create_hard_link(path("o/cleaned.csv"), path("twin.csv"));
  for (const std::string input : {"o/cleaned.csv", "link.csv", "twin.csv", "o/../o/weights.csv"}) {
    expect_untouched({"clean", "--train", input, "--out", "o", "--overwrite"}, "is read as input");
    expect_untouched({"clean", "--train", "train.csv", "--valid", input, "--out", "o", "--overwrite"},
                     "is read as input");
  }
  expect_untouched({"tune", "--train", "train.csv", "--test", "o/weights.csv", "--out", "./o", "--overwrite"},
                   "is read as input");
  expect_untouched({"clean", "--config", "o/config.toml", "--out", "o", "--overwrite"}, "is read as input");
  expect_untouched({"reweight", "--source", "a=train.csv", "--source", "b=o/weights.csv", "--valid", "valid.csv",
                    "--out", "o", "--overwrite"},
                   "o/weights.csv");
  expect_untouched({"clean", "--train", "a:train.csv,b:o", "--out", "o", "--overwrite"}, "is read as input (o)");
}

TEST_F(Safety, AGameIsNeverReplacedByItsOwnRunOrPicture) {
  fs::create_directory(path("o"));
  write("o/config.toml", kGame);
  write("game.svg", kGame);
  for (const Words& words : {Words{"solve", "o/config.toml", "--out", "o", "--overwrite"},
                             Words{"race", "o/config.toml", "--out", "o", "--overwrite", "--time", "0.1"},
                             Words{"solve", "game.svg", "--plot", "game.svg", "--overwrite"},
                             Words{"inspect", "game.svg", "--plot", "game.svg", "--overwrite"}}) {
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 2);
    EXPECT_NE(ended.err.find("is read as input"), std::string::npos) << ended.err;
  }
  EXPECT_EQ(content("o/config.toml"), kGame);
  EXPECT_EQ(content("game.svg"), kGame);
}

TEST_F(Safety, ARefusedRunLeavesTheEarlierOneWhole) {
  ASSERT_EQ(bilevel(cleaning({})).code, 0);
  expect_untouched(cleaning({"--overwrite", "--method", "soba", "--set", "nosuch=1"}), "nosuch");
  expect_untouched(cleaning({"--overwrite", "--set", "nosuch=1"}), "nosuch");
}

TEST_F(Safety, AKilledRunLeavesTheEarlierOneAndWhatItHad) {
  ASSERT_EQ(bilevel(cleaning({})).code, 0);
  const auto before = everything_in("o");
  {
    auto running = start(endless({"--overwrite"}));
    let_it_step(running, "o.unfinished-001/trace.jsonl");
    running.send(SIGKILL);
    running.wait();
  }
  EXPECT_TRUE(everything_in("o") == before);
  EXPECT_GE(lines_of(content("o.unfinished-001/trace.jsonl")).size(), 3U);
  EXPECT_EQ(bilevel(cleaning({"--overwrite", "--seed", "2"})).code, 0) << "the dead run's lock holds nobody off";
  EXPECT_NE(everything_in("o"), before);
  EXPECT_EQ(listing("o"), kAllFiles);
  EXPECT_EQ(listing("o.unfinished-002"), "none");
}

TEST_F(Safety, AnInterruptedRunTakesTheEarlierOnesPlace) {
  ASSERT_EQ(bilevel(cleaning({})).code, 0);
  auto running = start(endless({"--overwrite"}));
  let_it_step(running, "o.unfinished-001/trace.jsonl");
  running.send(SIGINT);
  EXPECT_EQ(running.wait().code, 130);
  EXPECT_EQ(Json::parse(content("o/result.json"))["status"], "interrupted");
  EXPECT_EQ(listing("o"), kAllFiles);
  EXPECT_EQ(listing("o.unfinished-001"), "none");
}

TEST_F(Safety, TheSecondRunIntoADirectoryIsRefusedWithTheFirstsPid) {
  auto running = start(endless({}));
  let_it_step(running, "o/trace.jsonl");
  const auto pid = lines_of(content("o/.bilevel-lock")).at(0);
  for (const Words& words : {cleaning({}), cleaning({"--overwrite"}), Words{"solve", "game.toml", "--out", "o"}}) {
    const auto second = bilevel(words);
    EXPECT_EQ(second.code, 2);
    EXPECT_NE(second.err.find("another run (process " + pid + ")"), std::string::npos) << second.err;
  }
  running.send(SIGTERM);
  EXPECT_EQ(running.wait().code, 130);
  EXPECT_EQ(listing("o"), kAllFiles);
}

TEST_F(Safety, AFileThatCannotBeWrittenCostsNothingElse) {
  auto running = start(endless({"--json"}));
  let_it_step(running, "o/trace.jsonl");
  fs::create_directories(path("o/weights.csv/inside"));  // nothing can be renamed over a folder that holds something
  running.send(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 3);
  EXPECT_NE(ended.err.find("weights.csv: cannot be written"), std::string::npos) << ended.err;
  EXPECT_EQ(ended.out, content("o/result.json"));
  EXPECT_TRUE(Json::accept(ended.out));
  EXPECT_EQ(listing("o"), kAllFiles);
}

TEST_F(Safety, AnIncompleteRunDoesNotReplaceAWholeOne) {
  ASSERT_EQ(bilevel(cleaning({})).code, 0);
  const auto before = everything_in("o");
  auto running = start(endless({"--overwrite"}));
  let_it_step(running, "o.unfinished-001/trace.jsonl");
  fs::create_directories(path("o.unfinished-001/weights.csv/inside"));
  running.send(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 3);
  EXPECT_NE(ended.err.find("the earlier run's files stay in o,"), std::string::npos) << ended.err;
  EXPECT_TRUE(everything_in("o") == before);
  EXPECT_TRUE(Json::accept(content("o.unfinished-001/result.json")));
}

TEST_F(Safety, ADirectoryThatIsRemovedDuringTheRunIsMadeAgain) {
  auto running = start(endless({"--json"}));
  let_it_step(running, "o/trace.jsonl");
  fs::remove_all(path("o"));
  running.send(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.code, 3);
  EXPECT_TRUE(Json::accept(ended.out)) << ended.out;
  EXPECT_NE(ended.err.find("trace.jsonl: was removed during the run"), std::string::npos) << ended.err;
  EXPECT_EQ(listing("o"), "cleaned.csv config.toml result.json weights.csv");
}

TEST_F(Safety, AGameFileDoesNotChooseWhatIsWritten) {
  write("mine.png", "mine");
  for (const std::string line : {"out = 'z'", "overwrite = true", "plot = 'mine.png'", "config = 'c'", "json = true"}) {
    write("bad.toml", std::string(kGame) + "[solve]\n" + line + "\n");
    for (const std::string command : {"solve", "inspect", "check"}) {
      const auto ended = bilevel({command, "bad.toml"});
      EXPECT_EQ(ended.code, 2) << line;
      EXPECT_NE(ended.err.find("bad.toml:8:1: [solve] " + line.substr(0, line.find(' '))), std::string::npos)
          << ended.err;
      EXPECT_NE(ended.err.find("on the command line"), std::string::npos) << ended.err;
    }
  }
  EXPECT_EQ(listing("z"), "none");
  EXPECT_EQ(content("mine.png"), "mine");
}

TEST_F(Safety, PipesAreRefusedInsteadOfWaitedFor) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  for (const Words& words :
       {Words{"solve", "pipe"}, Words{"inspect", "pipe"}, Words{"solve", "game.toml", "--config", "pipe"}}) {
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 2);
    EXPECT_NE(ended.err.find("no regular file"), std::string::npos) << ended.err;
  }
}

TEST_F(Safety, APictureReplacesPicturesOfItsOwnOnly) {
  write("photo.svg", "<svg>mine</svg>");
  const auto refused = bilevel({"solve", "game.toml", "--plot", "photo.svg", "--out", "o"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("no picture drawn by bilevel"), std::string::npos) << refused.err;
  EXPECT_EQ(listing("o"), "none");
  EXPECT_EQ(content("photo.svg"), "<svg>mine</svg>");
  EXPECT_EQ(bilevel({"solve", "game.toml", "--plot", "photo.svg", "--overwrite"}).code, 0);
  EXPECT_NE(content("photo.svg"), "<svg>mine</svg>");
  EXPECT_EQ(bilevel({"inspect", "game.toml", "--plot", "photo.svg"}).code, 0) << "now it is one of ours";
  EXPECT_EQ(bilevel({"solve", "game.toml", "--plot", "no/such/a.png"}).code, 2);
}

TEST_F(Safety, OptionsAreRefusedBeforeAFileIsMade) {
  for (const auto& [words, part] : std::vector<std::pair<Words, std::string>>{
           {{"solve", "game.toml", "--certificate-tolerance", "0.5"}, "certificate-tolerance"},
           {{"solve", "game.toml", "--certificate-tolerance", "1e-16"}, "certificate-tolerance"},
           {{"solve", "game.toml", "--plot", "a.png", "--picture", "value"}, "value"}}) {
    auto all = words;
    all.insert(all.end(), {"--out", "o"});
    const auto ended = bilevel(all);
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.out, "") << "nothing was begun";
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
    EXPECT_EQ(listing("o"), "none");
  }
  for (const Words& words :
       {Words{"inspect", "game.toml", "--samples", "200000"}, Words{"inspect", "game.toml", "--starts", "20000000"},
        Words{"inspect", "game.toml", "--from", ""},
        Words{"inspect", "game.toml", "--plot", "a.png", "--picture", "run"}}) {
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 2) << words.at(2);
    EXPECT_EQ(ended.out, "");
  }
}

}  // namespace
}  // namespace bilevel::end_to_end
