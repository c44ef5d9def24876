// `bilevel reweight` as a user runs it.
#include <filesystem>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Reweight : public EndToEnd {
 protected:
  Reweight() {
    write("a.csv", csv(sample({.rows = 80, .wrong = 0, .seed = 1})));
    write("b.csv", csv(sample({.rows = 80, .wrong = 0, .seed = 2})));
    write("bad.csv", csv(sample({.rows = 160, .wrong = 0.9, .seed = 3})));
    write("target.csv", csv(sample({.rows = 60, .wrong = 0, .seed = 4})));
    write("test.csv", csv(sample({.rows = 200, .wrong = 0, .seed = 5})));
  }

  static Words files() {
    return {"--source", "a=a.csv", "--source", "b=b.csv", "--source", "bad=bad.csv", "--valid", "target.csv"};
  }

  Json reweight(Words words) const { return json_of("reweight", std::move(words)); }

  void expect_refused(Words words, const std::string& part) const {
    expect_refused_by("reweight", std::move(words), part);
  }

  /// Messages of two words each, the first of which tells the class.
  void write_mail(const std::string& folder, const std::string& word, int count) {
    std::filesystem::create_directories(path(folder));
    for (int i = 0; i < count; ++i) {
      write(folder + "/" + std::to_string(i) + ".txt", word + " filler" + std::string(1, static_cast<char>('a' + i)));
    }
  }
};

Words joined(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST_F(Reweight, TellsTheWeightsAndComparesThem) {
  const auto ended = bilevel(joined(
      {"reweight", "--test", "test.csv", "--seeds", "2", "--out", "o", "--quiet", "--plot", "weights.svg"}, files()));
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const char* part : {"source bad            160  bad.csv", "target, validation     60  target.csv",
                           "Weights of the sources (mean and deviation over 2 seeds)", "Comparison on the target",
                           "uniform weights", "weights by size", "the target's validation rows", "learned weights",
                           "of 2 at least as good", "Certificate", "oracle calls"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " in:\n" << ended.out;
  }
  EXPECT_EQ(listing("o"), "config.toml result.json trace.jsonl weights.csv");
  const auto weights = lines_of(content("o/weights.csv"));
  EXPECT_EQ(weights.front(), "source,rows,mean,deviation,seed 1,seed 2");
  EXPECT_EQ(weights.size(), 4U);
  EXPECT_NE(content("weights.svg").find("share of the rows"), std::string::npos);
}

TEST_F(Reweight, ABadSourceLosesItsWeight) {
  const auto json = reweight(joined(files(), {"--seeds", "2", "--test", "test.csv", "--out", "o"}));
  EXPECT_EQ(json["command"], "reweight");
  EXPECT_EQ(json["sources"].size(), 3U);
  EXPECT_EQ(json["sources"][2]["name"], "bad");
  EXPECT_LT(json["sources"][2]["weight"].get<double>(), 0.05);
  EXPECT_GT(json["sources"][0]["weight_deviation"].get<double>(), 0) << "other validation rows, other weights";
  EXPECT_EQ(json["seeds"].size(), 2U);
  EXPECT_EQ(json["seeds"][1]["seed"], 2);
  EXPECT_TRUE(json["seeds"][0]["models"]["target_only"]["test_accuracy"].is_number());
  EXPECT_EQ(json, Json::parse(content("o/result.json")));
}

TEST_F(Reweight, ReadsFoldersOfTextsAndCsvTexts) {
  write_mail("good/ham", "meeting", 8);
  write_mail("good/spam", "lottery", 8);
  write_mail("bad/x", "lottery", 8);
  write_mail("bad/y", "meeting", 8);
  write_mail("mine/ham", "meeting", 5);
  write_mail("mine/spam", "lottery", 5);
  const auto folders = reweight({"--source", "good=good", "--source", "bad=ham:bad/x,spam:bad/y", "--valid", "mine",
                                 "--test", "good", "--seeds", "1", "--out", "o"});
  EXPECT_LT(folders["sources"][1]["weight"].get<double>(), 0.1);
  EXPECT_EQ(folders["seeds"][0]["models"]["learned"]["test_accuracy"], 1.0);

  std::string good = "message,kind\n", bad = good;
  for (const char* who : {"you", "me", "us", "them"}) {
    good += std::string("meeting with ") + who + ",ham\nlottery for " + who + ",spam\n";
    bad += std::string("meeting with ") + who + ",spam\nlottery for " + who + ",ham\n";
  }
  write("good.csv", good);
  write("bad.csv", bad);
  const auto texts = reweight({"--source", "good=good.csv", "--source", "bad=bad.csv", "--valid", "good.csv", "--text",
                               "message", "--label", "kind", "--seeds", "1", "--out", "p"});
  EXPECT_LT(texts["sources"][1]["weight"].get<double>(), 0.1);
}

TEST_F(Reweight, ANetworkLearnsTheWeightsToo) {
  const auto json = reweight(joined(files(), {"--hidden", "4", "--seeds", "1", "--out", "o", "--test", "test.csv"}));
  EXPECT_LT(json["sources"][2]["weight"].get<double>(), 0.1 * json["sources"][0]["weight"].get<double>());
}

TEST_F(Reweight, AFewValidationRowsKeepTheirClassesOnEverySeed) {
  write("few.csv", "x1,x2,kind\n1,0,class0\n0,1,class1\n-1,0,class2\n");
  const auto json = reweight({"--source", "a=a.csv", "--source", "b=b.csv", "--valid", "few.csv", "--seeds", "6",
                              "--no-comparators", "--no-certificate", "--out", "o"});
  EXPECT_EQ(json["seeds"].size(), 6U);
}

TEST_F(Reweight, SameSeedSameResult) {
  const auto words = joined(files(), {"--seed", "5", "--seeds", "2", "--no-certificate", "--overwrite", "--out", "o"});
  reweight(words);
  const auto weights = content("o/weights.csv");
  reweight(words);
  EXPECT_EQ(content("o/weights.csv"), weights);
}

TEST_F(Reweight, RefusesInOneSentence) {
  expect_refused({}, "no sources: give two or more files with 'source'");
  expect_refused({"--source", "a.csv"}, "must be name=file");
  expect_refused({"--source", "a=a.csv", "--valid", "target.csv"}, "only the source 'a'");
  expect_refused({"--source", "a=a.csv", "--source", "a=b.csv", "--valid", "target.csv"}, "names 'a' twice");
  expect_refused({"--source", "a=a.csv", "--source", "b=b.csv"}, "the target's rows are missing");
  expect_refused({"--source", "a=a.csv", "--source", "b=absent.csv", "--valid", "target.csv"}, "absent.csv");
  expect_refused({"--dataset", "fashion-mnist", "--valid", "target.csv"}, "'valid' does not go with 'dataset'");
  expect_refused({"--dataset", "fashion-mist"}, "did you mean 'fashion-mnist'?");
  expect_refused(joined(files(), {"--noise", "0.2"}), "option 'noise' needs 'dataset'");
  expect_refused(joined(files(), {"--method", "hogg"}), "hoag");
  write("other.csv", "x1,x2,kind\n1,2,class0\n3,4,elephant\n");
  expect_refused({"--source", "a=a.csv", "--source", "o=other.csv", "--valid", "target.csv"}, "elephant");
  expect_refused({"--source", "a=a.csv", "--source", "t=ham:nowhere", "--valid", "target.csv"}, "--text COLUMN");
}

}  // namespace
}  // namespace bilevel::end_to_end
