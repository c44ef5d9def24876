// Where files come from and where they go.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "data/files.hpp"
#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Files : public EndToEnd {
 protected:
  Files() : train_(sample({.rows = 60})), valid_(sample({.rows = 45, .wrong = 0, .seed = 2})) {}

  /// Images of 1 x 2 pixels.
  void write_idx(const std::string& name, const Sample& sample, bool gzip = false) const {
    std::vector<int> pixels, labels;
    for (std::size_t i = 0; i < sample.rows.size(); ++i) {
      for (const double value : sample.rows[i])
        pixels.push_back(std::clamp(static_cast<int>(128 + 20 * value), 0, 255));
      labels.push_back(static_cast<int>(sample.given[i]));
    }
    const auto count = static_cast<std::uint32_t>(sample.rows.size());
    const auto images = data::idx(8, {count, 1, 2}, pixels), classes = data::idx(8, {count}, labels);
    write(name + "-images", gzip ? data::gzip(images) : images);
    write(name + "-labels", gzip ? data::gzip(classes) : classes);
  }

  Sample train_, valid_;
};

TEST_F(Files, Csv) {
  write("train.csv", csv(train_));
  write("valid.csv.gz", data::gzip(csv(valid_)));
  EXPECT_GT(clean({"--train", "train.csv", "--valid", "valid.csv.gz", "--out", "o"})["suspects"], 5);
}

TEST_F(Files, FoldersOfTexts) {
  for (const char* kind : {"ham", "spam"}) {
    const std::string word = kind == std::string("ham") ? "meeting" : "lottery";
    for (int i = 0; i < 20; ++i) {
      // Two of each class lie in the wrong folder.
      const auto& other = i < 2 ? (word == "meeting" ? "lottery" : "meeting") : word;
      std::filesystem::create_directories(path(std::string("mail/") + kind));
      write(fmt::format("mail/{}/{:02}.txt", kind, i), fmt::format("{} number {} of {}", other, i, i * i));
    }
    std::filesystem::create_directories(path(std::string("trusted/") + kind));
    for (int i = 0; i < 6; ++i) write(fmt::format("trusted/{}/{}.txt", kind, i), word + " trusted");
  }
  const auto json = clean({"--train", "mail", "--valid", "trusted", "--buckets", "64", "--out", "o"});
  EXPECT_EQ(json["suspects"], 4);
  EXPECT_EQ(lines_of(content("o/cleaned.csv")).size(), 37U) << "a header and 36 messages";
}

TEST_F(Files, IdxPairs) {
  write_idx("train", train_);
  write_idx("valid", valid_, true);
  const auto json =
      clean({"--train", "train-images,train-labels", "--valid", "valid-images,valid-labels", "--out", "o"});
  EXPECT_EQ(json["rows"]["features"], 2);
  const auto lines = lines_of(content("o/cleaned.csv"));
  EXPECT_EQ(lines.front(), "index,label");
  EXPECT_EQ(lines.size(), 61 - json["suspects"].get<std::size_t>());
}

TEST_F(Files, Libsvm) {
  write("train.libsvm", libsvm(train_));
  write("valid.libsvm", libsvm(valid_));
  const auto json = clean({"--train", "train.libsvm", "--valid", "valid.libsvm", "--out", "o"});
  EXPECT_EQ(lines_of(content("o/cleaned.csv")).size(), 60 - json["suspects"].get<std::size_t>());
}

TEST_F(Files, TheSameRowsInEachFormatGiveTheSameSuspects) {
  write("train.csv", csv(train_));
  write("valid.csv", csv(valid_));
  write("train.libsvm", libsvm(train_));
  write("valid.libsvm", libsvm(valid_));
  const auto dense = clean({"--train", "train.csv", "--valid", "valid.csv", "--scaling", "none", "--out", "a"});
  const auto sparse = clean({"--train", "train.libsvm", "--valid", "valid.libsvm", "--scaling", "none", "--out", "b"});
  EXPECT_EQ(dense["suspects"], sparse["suspects"]);
  // Sums in another order, in single precision, over some twenty steps.
  EXPECT_NEAR(dense["upper"].get<double>(), sparse["upper"].get<double>(), 1e-3);
}

TEST_F(Files, AnExistingDirectoryIsLeftAloneUnlessOverwriteIsSaid) {
  write("train.csv", csv(train_));
  std::filesystem::create_directory(path("o"));
  write("o/mine.txt", "mine");
  write("o/result.json", "old");
  const Words words{"clean", "--train", "train.csv", "--label", "kind", "--out", "o", "--quiet"};
  const auto refused = bilevel(words);
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--overwrite"), std::string::npos) << refused.err;
  EXPECT_EQ(listing("o"), "mine.txt result.json");
  EXPECT_EQ(content("o/result.json"), "old");

  auto more = words;
  more.push_back("--overwrite");
  EXPECT_EQ(bilevel(more).code, 0);
  EXPECT_EQ(listing("o"), "cleaned.csv config.toml mine.txt result.json trace.jsonl weights.csv");
  EXPECT_EQ(content("o/mine.txt"), "mine");
  EXPECT_TRUE(Json::accept(content("o/result.json")));
}

TEST_F(Files, BadInputLeavesAnOlderRunAlone) {
  write("train.csv", csv(train_));
  clean({"--train", "train.csv", "--out", "o"});
  const auto before = content("o/result.json");
  EXPECT_EQ(bilevel({"clean", "--train", "missing.csv", "--out", "o", "--overwrite"}).code, 2);
  EXPECT_EQ(listing("o"), kAllFiles);
  EXPECT_EQ(content("o/result.json"), before);
}

TEST_F(Files, WithoutOutRunsAreNumbered) {
  write("train.csv", csv(train_));
  for (int i = 0; i < 2; ++i) clean({"--train", "train.csv"});
  EXPECT_EQ(listing("runs"), "clean-files-001 clean-files-002");
  EXPECT_EQ(listing("runs/clean-files-002"), kAllFiles);
}

TEST_F(Files, ParentsAreMade) {
  write("train.csv", csv(train_));
  clean({"--train", "train.csv", "--out", "a/b/c"});
  EXPECT_EQ(listing("a/b/c"), kAllFiles);
}

TEST_F(Files, NamesWithBlanksCommasQuotesAndUmlauts) {
  for (const std::string name :
       {"two words.csv", "größe, münchen.csv", "it's \"quoted\".csv", "-dash.csv", "数据.csv"}) {
    write(name, csv(train_));
    const auto out = name + " out";
    const auto json = clean({"--train=" + name, "--label", "kind", "--out=" + out, "--threads", "1"});
    EXPECT_EQ(listing(out), kAllFiles) << name;
    EXPECT_EQ(json["used"]["train"], name);
    clean({"--config", path(out + "/config.toml").string(), "--out", "again", "--overwrite"});
  }
}

TEST_F(Files, LabelsWithCommasQuotesAndUmlauts) {
  std::string text = "x,y,label\n";
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i % 2 * 3 + 0.01 * i) + "," + std::to_string(i) +
            (i % 2 == 0 ? ",\"a, \"\"b\"\"\"\n" : ",größe\n");
  }
  write("train.csv", text);
  clean({"--train", "train.csv", "--out", "o"});
  const auto weights = content("o/weights.csv");
  EXPECT_NE(weights.find(",\"a, \"\"b\"\"\","), std::string::npos) << weights;
  EXPECT_NE(weights.find(",größe,"), std::string::npos);
}

TEST_F(Files, WindowsLineEndsAndByteOrderMark) {
  std::string text = "\xEF\xBB\xBF" + csv(train_);
  for (std::size_t i = 0; (i = text.find('\n', i)) != std::string::npos; i += 2) text.insert(i, 1, '\r');
  write("train.csv", text);
  const auto json = clean({"--train", "train.csv", "--label", "kind", "--out", "o"});
  EXPECT_EQ(json["rows"]["features"], 2);
  EXPECT_EQ(json["rows"]["classes"], 3);
}

}  // namespace
}  // namespace bilevel::end_to_end
