// What the program shows of texts that others wrote, and how it behaves on a terminal.
#include <cstdlib>
#include <filesystem>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Manners : public EndToEnd {
 protected:
  static std::string labelled(const std::string& first, const std::string& second) {
    std::string text = "x,y,label\n";
    for (int i = 0; i < 40; ++i) {
      text +=
          std::to_string(i % 2 * 3 + 0.01 * i) + "," + std::to_string(i) + "," + (i % 2 == 0 ? first : second) + "\n";
    }
    return text;
  }

  static void expect_obeys_nothing(const std::string& text) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      EXPECT_TRUE((byte >= 0x20 && byte != 0x7f) || c == '\n') << "byte " << int(byte) << " in " << text;
    }
  }
};

TEST_F(Manners, LabelsAndNamesDoNotCommandTheTerminal) {
  write("train.csv", labelled("a\x1b]0;owned\x07", "b\x1b[2J"));
  const auto ended = bilevel({"clean", "--train", "train.csv", "--out", "o"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  expect_obeys_nothing(ended.out);
  EXPECT_NE(ended.out.find("a\\u001b]0;owned\\u0007"), std::string::npos) << ended.out;

  for (const Words& words : {Words{"clean", "--train", "no\x1b[31m\nsuch\x9b"}, Words{"solve", "no\x1b[31m.toml"},
                             Words{"no\x07pe"}, Words{"solve", "--no\x1b[31m"}}) {
    const auto refused = bilevel(words);
    EXPECT_EQ(refused.code, 2);
    EXPECT_EQ(lines_of(refused.err).size(), 1U) << refused.err;
    expect_obeys_nothing(refused.err);
  }
}

TEST_F(Manners, LongInputIsNotRepeatedInFull) {
  const std::string long_word(50'000, 'x');
  std::string long_text;
  for (int i = 0; i < 5'000; ++i) long_text += "it's a ";
  for (const auto& input : {long_word, long_text}) {
    for (const Words& words : {Words{"solve", input}, Words{input}, Words{"solve", "g.toml", "--" + input},
                               Words{"clean", "--train", input}, Words{"clean", "--train", "t.csv", "--seed", input}}) {
      const auto refused = bilevel(words);
      EXPECT_EQ(refused.code, 2);
      EXPECT_LT(refused.err.size(), 800U);
      EXPECT_NE(refused.err.find("..."), std::string::npos) << refused.err;
    }
  }
}

TEST_F(Manners, TablesFitANarrowScreen) {
  setenv("COLUMNS", "40", 1);
  const auto methods = bilevel({"methods"});
  setenv("COLUMNS", "20", 1);
  const auto narrow = bilevel({"methods"});
  unsetenv("COLUMNS");
  for (const auto& line : lines_of(methods.out)) EXPECT_LE(line.size(), 40U) << line;
  for (const auto& line : lines_of(narrow.out)) EXPECT_LE(line.size(), 20U) << line;
  EXPECT_NE(narrow.out.find("method: smbg"), std::string::npos) << narrow.out;
}

TEST_F(Manners, NamesWithQuotesAndPercentDoNotCostThePicture) {
  for (const std::string name : {"a", "b", "t"}) write(name + ".csv", csv(sample({.rows = 60, .wrong = 0, .seed = 3})));
  const auto ended = bilevel({"reweight", "--source", "'t Hooft''s=a.csv", "--source", "%n 50%=b.csv", "--valid",
                              "t.csv", "--plot", "weights.svg", "--out", "o", "--quiet", "--seeds", "1"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_NE(content("weights.svg").find("’t Hooft’’s"), std::string::npos);
  EXPECT_NE(content("weights.svg").find("%n 50%"), std::string::npos);
}

TEST_F(Manners, NoSpreadsheetRunsALabelOfTheFilesOfARun) {
  write("train.csv", labelled("=cmd", "@x"));
  ASSERT_EQ(bilevel({"clean", "--train", "train.csv", "--out", "o", "--quiet"}).code, 0);
  for (const char* file : {"o/weights.csv", "o/cleaned.csv"}) {
    EXPECT_NE(content(file).find(",'=cmd"), std::string::npos) << content(file);
    EXPECT_EQ(content(file).find(",=cmd"), std::string::npos);
    EXPECT_EQ(content(file).find(",@x"), std::string::npos);
  }
  const auto json = clean({"--train", "o/cleaned.csv", "--valid", "train.csv", "--out", "p"});
  EXPECT_EQ(json["rows"]["classes"], 2) << "the labels are the same as those of the file that was cleaned";
}

}  // namespace
}  // namespace bilevel::end_to_end
