// `bilevel distill` on small tables and on images: its files, its JSON, and what it refuses.
#include <algorithm>

#include "end_to_end/program.hpp"
#include "end_to_end/samples.hpp"

namespace bilevel::end_to_end {
namespace {

class Distill : public EndToEnd {
 protected:
  Distill() {
    write("train.csv", csv(sample({.rows = 120, .wrong = 0})));
    write("test.csv", csv(sample({.rows = 90, .wrong = 0, .seed = 2})));
  }
};

TEST_F(Distill, ATableOfThreeClasses) {
  const auto ended = bilevel({"distill", "--train", "train.csv", "--label", "kind", "--test", "test.csv", "--per-class",
                              "1", "--out", "o", "--json", "--quiet"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto found = Json::parse(ended.out);
  EXPECT_EQ(found.at("rows").at("distilled"), 3);
  EXPECT_EQ(found.at("random").size(), 5u);
  // Clouds that hardly overlap: three well-placed rows are enough.
  EXPECT_GT(found.at("distilled").at("test_accuracy"), 0.9);
  EXPECT_GT(found.at("distilled").at("test_accuracy").get<double>(), found.at("random_test_mean").get<double>() - 0.02);
  EXPECT_EQ(found.at("picture"), nullptr);
  EXPECT_EQ(listing("o"), "config.toml images.csv result.json trace.jsonl");
  const auto images = content("o/images.csv");
  EXPECT_TRUE(images.starts_with("label,x1,x2\nclass0,")) << images;
  EXPECT_EQ(std::count(images.begin(), images.end(), '\n'), 4);
  // The file of options makes the same images again.
  const auto again = bilevel({"distill", "--config", "o/config.toml", "--out", "p", "--quiet", "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(content("p/images.csv"), images);
}

TEST_F(Distill, LearnedLabelsAndANetwork) {
  const auto ended =
      bilevel({"distill", "--train", "train.csv", "--label", "kind", "--test", "test.csv", "--per-class", "2",
               "--hidden", "4", "--learn-labels", "--max-iterations", "5", "--draws", "1", "--out", "o"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  for (const auto* part : {"Chosen automatically", "the distilled rows", "random rows, mean of 1", "Certificate",
                           "picture       none: the rows are no images"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " in: " << ended.out;
  }
  EXPECT_TRUE(content("o/images.csv").starts_with("label,share of class0,share of class1,share of class2,x1,x2\n"));
}

TEST_F(Distill, ImagesGetAContactSheet) {
  const auto ended = bilevel({"distill", "--dataset", "fashion-mnist", "--train-rows", "400", "--per-class", "2",
                              "--max-iterations", "2", "--no-comparators", "--no-certificate", "--out", "o"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(listing("o"), "config.toml contact_sheet.png images.csv result.json trace.jsonl");
  EXPECT_TRUE(content("o/contact_sheet.png").starts_with("\x89PNG"));
}

TEST_F(Distill, RefusesInOneSentence) {
  const auto refused = [&](Words words) {
    words.insert(words.begin(), "distill");
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 2) << ended.out;
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    return ended.err;
  };
  EXPECT_NE(refused({}).find("no training data"), std::string::npos);
  EXPECT_NE(refused({"--train", "train.csv", "--label", "kind", "--per-class", "41"})
                .find("per-class 41 asks for more rows than the 32 training rows of class 'class0'"),
            std::string::npos);
  EXPECT_NE(refused({"--train", "train.csv", "--per-class", "0"}).find("per-class"), std::string::npos);
  EXPECT_NE(refused({"--train", "train.csv", "--label", "knd"}).find("kind"), std::string::npos);
  EXPECT_NE(refused({"--train", "train.csv", "--unrolled-steps", "0", "--no-correction"}).find("unrolled-steps 0"),
            std::string::npos);
  write("one.csv", "a,kind\n1,u\n2,u\n3,u\n4,u\n5,u\n6,u\n");
  EXPECT_NE(refused({"--train", "one.csv", "--label", "kind"}).find("class"), std::string::npos);
  write("sparse.libsvm", "1 1:2\n2 2:1\n1 1:1\n2 2:3\n1 1:4\n2 2:2\n");
  EXPECT_NE(refused({"--train", "sparse.libsvm"}).find("sparse"), std::string::npos);
  EXPECT_EQ(listing("."), "one.csv sparse.libsvm test.csv train.csv") << "nothing is written before all is checked";
}

}  // namespace
}  // namespace bilevel::end_to_end
