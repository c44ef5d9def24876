// What cannot be used is refused with one sentence, before anything is written.
#include <fmt/format.h>

#include "data/files.hpp"
#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class BadInput : public EndToEnd {
 protected:
  BadInput() { write("train.csv", csv(sample({.rows = 60}))); }

  /// Exit code 2, and one sentence on standard error with all `parts`; no run directory.
  void expect_refused(Words words, const std::vector<std::string>& parts) const {
    const auto shown = testing::PrintToString(words);
    words.insert(words.begin(), "clean");
    if (std::find(words.begin(), words.end(), "--out") == words.end()) words.insert(words.end(), {"--out", "o"});
    words.push_back("--quiet");
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 2) << shown << ended.err;
    EXPECT_EQ(ended.out, "") << shown;
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << shown << ended.err;
    EXPECT_LT(ended.err.size(), 300U) << "a sentence, not a page: " << ended.err;
    for (const auto& part : parts) EXPECT_NE(ended.err.find(part), std::string::npos) << part << " in: " << ended.err;
    EXPECT_EQ(listing("o"), "none") << shown;
    EXPECT_EQ(listing("runs"), "none") << shown;
  }

  void expect_content_refused(std::string_view text, const std::vector<std::string>& parts) const {
    write("bad.csv", text);
    expect_refused({"--train", "bad.csv"}, parts);
  }
};

TEST_F(BadInput, Files) {
  expect_refused({"--train", "missing.csv"}, {"missing.csv", "no such file"});
  expect_refused({"--train", "train.csv", "--valid", "missing.csv"}, {"missing.csv", "no such file"});
  expect_refused({"--train", "train.csv", "--test", "missing.csv"}, {"missing.csv", "no such file"});
  expect_refused({"--train", "train.csv", "--truth", "missing.csv"}, {"missing.csv", "no such file"});
  expect_refused({"--train", "."}, {"folder"});
  expect_refused({"--train", "train.csv", "--config", "missing.toml"}, {"missing.toml", "No such file"});
  expect_refused({"--train", "train.csv,"}, {"'train.csv,'"});
}

TEST_F(BadInput, Csv) {
  expect_content_refused("", {"bad.csv", "empty"});
  expect_content_refused("a,b,label\n", {"bad.csv", "no rows"});
  expect_content_refused("a,b,label\n1,2,x\n3,4\n5,6,y\n", {"bad.csv", "line 3", "row 2", "2 fields", "3"});
  expect_content_refused("a,b,label\n1,2,x\n3,4,x\n", {"bad.csv", "'x'", "two classes"});
  expect_content_refused("a,b,label\n1,2,x\n", {"bad.csv", "the only row", "two classes"});
  expect_content_refused("a,b,label\n1,2,x\n3,nan,y\n", {"bad.csv", "row 2", "line 3", "'b'"});
  expect_content_refused("a,b,label\n1,2,x\ninf,3,y\n", {"bad.csv", "row 2", "line 3", "'a'", "'inf'"});
  expect_content_refused("a,b,label\n1,2,x\n1e39,3,y\n", {"bad.csv", "row 2", "'1e39'"});
  expect_content_refused("a,b,label\n1,\"2,x\n3,4,y\n", {"bad.csv", "line 2"});
  std::string junk;
  for (int i = 0; i < 4000; ++i) junk += static_cast<char>(i * i * 31 + i * 7);
  expect_content_refused(junk, {"bad.csv"});
  std::string identities = "a,label\n";  // as many labels as rows
  for (int i = 0; i < 5000; ++i) identities += fmt::format("{},name{}\n", i, i);
  expect_content_refused(identities, {"5000 different labels", "another label column"});
}

TEST_F(BadInput, Columns) {
  expect_refused({"--train", "train.csv", "--label", "kidn"}, {"train.csv", "'kidn'", "'kind'"});
  expect_refused({"--train", "train.csv", "--label", "9"}, {"train.csv", "9", "3 columns"});
  expect_refused({"--train", "train.csv", "--drop", "x3"}, {"'x3'"});
  expect_refused({"--train", "train.csv", "--drop", "x1", "--drop", "x2"}, {"no column is left"});
}

TEST_F(BadInput, ValidationRows) {
  write("valid.csv", "x1,x2,kind\n1,2,class0\n3,4,class7\n");
  expect_refused({"--train", "train.csv", "--valid", "valid.csv"}, {"valid.csv", "'class7'", "'class0'"});
  write("valid.csv", "x1,kind\n1,class0\n3,class1\n");
  expect_refused({"--train", "train.csv", "--valid", "valid.csv"}, {"valid.csv", "x2"});
  write("valid.csv", "x1,x2,kind\n1,2,class0\n3,4,class0\n");
  expect_refused({"--train", "train.csv", "--valid", "valid.csv"}, {"'class0'"});
  write("truth.txt", "class0\nclass1\n");
  expect_refused({"--train", "train.csv", "--truth", "truth.txt"}, {"truth.txt", "2 labels", "60 rows"});
  expect_refused({"--train", "train.csv", "--hold-out", "0.999"}, {"'hold-out' (0.999)", "none of the 60 rows"});
}

TEST_F(BadInput, Idx) {
  const std::vector<int> pixels(4 * 4 * 6, 7);
  const auto images = data::idx(8, {6, 4, 4}, pixels), labels = data::idx(8, {6}, {0, 1, 2, 0, 1, 2});
  write("labels.idx", labels);
  write("short.idx", std::string_view(images).substr(0, images.size() - 5));
  expect_refused({"--train", "short.idx,labels.idx"}, {"short.idx"});
  write("header.idx", std::string_view(images).substr(0, 9));
  expect_refused({"--train", "header.idx,labels.idx"}, {"header.idx"});
  write("images.idx", images);
  write("five.idx", data::idx(8, {5}, {0, 1, 2, 0, 1}));
  expect_refused({"--train", "images.idx,five.idx"}, {"6", "5"});
  expect_refused({"--train", "images.idx"}, {"images.idx"});
  expect_refused({"--train", "images.idx,missing.idx"}, {"missing.idx"});
}

TEST_F(BadInput, Gzip) {
  const auto whole = data::gzip(content("train.csv"));
  write("short.csv.gz", std::string_view(whole).substr(0, whole.size() / 2));
  expect_refused({"--train", "short.csv.gz"}, {"short.csv.gz"});
  auto flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(~flipped[flipped.size() / 2]);
  write("flipped.csv.gz", flipped);
  expect_refused({"--train", "flipped.csv.gz"}, {"flipped.csv.gz"});
}

TEST_F(BadInput, Libsvm) {
  write("bad.libsvm", "1 1:0.5 2:1\n0 1:0.5 1:2\n");
  expect_refused({"--train", "bad.libsvm"}, {"bad.libsvm", "line 2"});
  write("bad.libsvm", "1 1:0.5 2:1\n0 1:abc\n");
  expect_refused({"--train", "bad.libsvm"}, {"bad.libsvm", "line 2"});
}

TEST_F(BadInput, Options) {
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"corrupt", "1.5"},        {"corrupt", "-0.1"},
                                                        {"corrupt", "nan"},        {"threads", "-1"},
                                                        {"threads", "100000"},     {"inner-steps", "0"},
                                                        {"inner-steps", "2.5"},    {"max-iterations", "0"},
                                                        {"time-limit", "0"},       {"time-limit", "-1"},
                                                        {"regularization", "-1"},  {"regularization", "nan"},
                                                        {"penalty-norm", "1"},     {"hold-out", "1"},
                                                        {"hold-out", "0"},         {"seed", "-1"},
                                                        {"seed", "1e3"},           {"seed", "99999999999999999999"},
                                                        {"inner-step-size", "0"},  {"inner-step-size", "inf"},
                                                        {"outer-step-size", "-2"}, {"checkpoints", "0"},
                                                        {"truncated-steps", "0"},  {"cg-tolerance", "0"},
                                                        {"first-decay", "1"},      {"patience", "0"},
                                                        {"memory", "all"},         {"method", "sgd"},
                                                        {"outer", "adma"},         {"scaling", "yes"},
                                                        {"precision", "half"}}) {
    expect_refused({"--train", "train.csv", "--" + option, value}, {"'" + option + "'", "'" + value + "'", "must be"});
  }
  expect_refused({"--train"}, {"--train", "needs a value"});
  expect_refused({"--train", "train.csv", "stray"}, {"'stray'"});
  expect_refused({"--train", "train.csv", "--dataset", "fashion-mnist"}, {"'train'", "'dataset'"});
  expect_refused({"--dataset", "fashion-mnits"}, {"fashion-mnits", "fashion-mnist"});
  write("bad.toml", "train = \"train.csv\"\ninner-stesp = 3\n");
  expect_refused({"--config", "bad.toml"}, {"bad.toml:2:1", "'inner-stesp'", "'inner-steps'"});
  write("bad.toml", "train = \n");
  expect_refused({"--config", "bad.toml"}, {"bad.toml:1"});
}

TEST_F(BadInput, AHypergradientThatWouldTakeHours) {
  write("many.csv", csv(sample({.rows = 2600})));
  const auto ended = bilevel({"clean", "--train", "many.csv", "--hypergradient", "forward", "--out", "o", "--quiet"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
  EXPECT_NE(ended.err.find("use unrolled"), std::string::npos) << ended.err;
  EXPECT_EQ(listing("o"), "none");
}

TEST_F(BadInput, RunDirectories) {
  expect_refused({"--train", "train.csv", "--out", "train.csv"}, {"train.csv is a file", "--out"});
  expect_refused({"--train", "train.csv", "--out", "train.csv/o"}, {"train.csv/o", "cannot be created"});
  expect_refused({"--train", "train.csv", "--out", "/proc/no/such"}, {"/proc/no/such", "cannot be created"});
  EXPECT_EQ(content("train.csv"), csv(sample({.rows = 60})));
  // Where nobody may write, not even root.
  const auto ended = bilevel_in("/proc", {"clean", "--train", path("train.csv").string(), "--label", "kind"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("--out"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace bilevel::end_to_end
