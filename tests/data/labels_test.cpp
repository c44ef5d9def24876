#include "bilevel/random.hpp"
#include "data/files.hpp"

namespace bilevel::data {
namespace {

using Labels = std::vector<std::int32_t>;

class LabelFiles : public DataTest {
 protected:
  /// Four rows of the classes bird, cat and dog; the label column is called animal.
  Table animals() const {
    const auto data = file("train.csv", "size,animal\n1,cat\n2,dog\n3,bird\n4,cat\n");
    return read_table(data, {.label = "animal"});
  }
  Labels read(std::string_view content, const ReadOptions& options = {}) const {
    return read_labels(file("truth", content), animals(), options);
  }
};

const Labels kTruth = {1, 2, 0, 1};

TEST_F(LabelFiles, OneLabelALine) {
  EXPECT_EQ(read("cat\ndog\nbird\ncat\n"), kTruth);
  EXPECT_EQ(read("cat\r\ndog\r\nbird\r\ncat"), kTruth);
  EXPECT_EQ(read("cat\rdog\rbird\rcat\r"), kTruth);
  EXPECT_EQ(read("\xEF\xBB\xBF cat \n\"dog\"\nbird\ncat\n"), kTruth);
  EXPECT_EQ(read(gzip("cat\ndog\nbird\ncat\n")), kTruth);
}

TEST_F(LabelFiles, BlankLinesAndMissingMarkersAreNotKnown) {
  EXPECT_EQ(read("cat\n\nna\n?\n"), (Labels{1, -1, -1, -1}));
  EXPECT_EQ(read("\n\n\ncat\n"), (Labels{-1, -1, -1, 1}));
  // Blank lines beyond the rows of the training file are the end of the file, not rows.
  EXPECT_EQ(read("cat\n\nbird\n\n\n\n"), (Labels{1, -1, 0, -1}));
}

TEST_F(LabelFiles, AHeaderIsToldFromALabel) {
  EXPECT_EQ(read("animal\ncat\ndog\nbird\ncat\n"), kTruth);  // the name of the training label
  EXPECT_EQ(read("Label\ncat\ndog\nbird\ncat\n"), kTruth);   // a usual name
  EXPECT_EQ(read("really\ncat\ndog\nbird\ncat\n"), kTruth);  // one line more than rows
  EXPECT_EQ(read("animal\ncat\ndog\n"), (Labels{1, 2}));     // too few: the caller's to check
  EXPECT_EQ(read("cat\ncat\ndog\n", {.header = Header::yes}), (Labels{1, 2}));
  expect_error([&] { read("really\ncat\n", {.header = Header::no}); }, {"line 1 (row 1)", "'really'"});
}

TEST_F(LabelFiles, TheLabelColumnOfACsv) {
  EXPECT_EQ(read("id,animal,sure\n1,cat,a\n2,dog,b\n3,bird,c\n4,cat,d\n"), kTruth);
  EXPECT_EQ(read("id;class;sure\n1;cat;a\n2;dog;b\n3;bird;c\n4;cat;d\n"), kTruth);
  EXPECT_EQ(read("id\tx\n1\tcat\n2\tdog\n3\tbird\n4\tcat\n"), kTruth);
  EXPECT_EQ(read("cat,1\ndog,2\nbird,3\ncat,4\n", {.label = "1"}), kTruth);
  EXPECT_EQ(read("animal,checked\ndog,cat\ncat,dog\ncat,bird\ncat,\n", {.label = "checked"}), (Labels{1, 2, 0, -1}));
  expect_error([&] { read("id,animal\n1,cat\n2,dog\n", {.label = "animals"}); },
               {"no column 'animals'", "nearest: 'animal'"});
  expect_error([&] { read("1,cat\n2,dog,x\n", {.separator = ','}); }, {"line 2 (row 2)", "3 fields", "has 2"});
}

TEST_F(LabelFiles, NumbersAreClassesHoweverTheyAreSpelled) {
  const Table t = read_table(file("a.libsvm", "-1 1:2\n+1 1:3\n-1 2:1\n"));
  EXPECT_EQ(read_labels(file("truth", "1.0\n-1\n\n"), t), (Labels{1, 0, -1}));
}

TEST_F(LabelFiles, IdxLabels) {
  const auto images = file("images", idx(8, {4, 1, 1}, {1, 2, 3, 4}));
  const Table t = read_table(images + "," + file("labels", idx(8, {4}, {7, 3, 3, 7})));
  EXPECT_EQ(read_labels(file("truth", idx(8, {4}, {3, 3, 7, 7})), t), (Labels{0, 0, 1, 1}));
  EXPECT_EQ(read_labels(file("truth.gz", gzip(idx(9, {4}, {3, 255, 7, 7}))), t), (Labels{0, -1, 1, 1}));
  EXPECT_EQ(read_labels(file("truth.txt", "3\n3\n7\n?\n"), t), (Labels{0, 0, 1, -1}));
  expect_error([&] { read_labels(file("truth", idx(8, {2}, {3, 4})), t); }, {"(row 2)", "'4'", "'3', '7'"});
  expect_error([&] { read_labels(images, t); }, {"4 x 1 x 1", "1 dimension"});
}

TEST_F(LabelFiles, UnknownClassesAreRejectedWithTheNearest) {
  expect_error([&] { read("cat\ndogg\nbird\ncat\n"); },
               {"truth, line 2 (row 2)", "'dogg'", "nearest: 'dog'", "'bird', 'cat', 'dog'"});
}

TEST_F(LabelFiles, UnusableFiles) {
  expect_error([&] { read_labels(" ", animals()); }, {"name of a label file is empty"});
  expect_error([&] { read_labels(path("none"), animals()); }, {"none"});
  expect_error([&] { read(""); }, {"empty"});
  expect_error([&] { read("animal\n"); }, {"holds no labels"});
  expect_error([&] { read(std::string_view("cat\0dog\n", 8)); }, {"zero byte at position 4"});
  expect_error([&] { read("\"cat\ndog\n"); }, {"line 1"});
}

TEST_F(LabelFiles, DamagedFilesGiveASentenceOrLabels) {
  const Table training = animals();
  const std::vector<std::string> good = {"cat\ndog\n\ncat\n", "id,animal\n1,\"cat\"\n2,dog\n3,\n",
                                         idx(9, {4}, {0, 1, 255, 2}), gzip("cat\ndog\nbird\ncat\n")};
  Random random(1);
  for (int trial = 0; trial < 250; ++trial) {
    std::string damaged = good[random.below(good.size())];
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(4) == 0) damaged.resize(random.below(damaged.size()));
    try {
      for (const auto label : read_labels(file("damaged", damaged), training)) {
        ASSERT_TRUE(label >= -1 && label < 3) << "trial " << trial;
      }
    } catch (const InvalidInput& error) {
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "trial " << trial;
    }
  }
}

}  // namespace
}  // namespace bilevel::data
