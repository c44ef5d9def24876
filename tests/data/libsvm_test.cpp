#include "data/files.hpp"

namespace bilevel::data {
namespace {

class Libsvm : public DataTest {
 protected:
  void rejects(std::string_view text, std::initializer_list<std::string_view> parts) const {
    const auto data = file("a.libsvm", text);
    expect_error([&] { read_table(data); }, parts);
  }
};

TEST_F(Libsvm, ReadsSparseRows) {
  const Table t = read_table(file("a.txt", "# header\n+1 1:0.5 3:-2 # tail\r\n\n-1\n1.0 2:1e1\n"));
  EXPECT_TRUE(t.sparse);
  EXPECT_EQ(t.format, Format::libsvm);
  EXPECT_EQ(t.rows, 3U);
  EXPECT_EQ(t.features, 3U);
  EXPECT_EQ(t.row_starts, (std::vector<std::size_t>{0, 2, 2, 3}));
  EXPECT_EQ(t.columns, (std::vector<std::uint32_t>{0, 2, 1}));
  EXPECT_EQ(t.values, (std::vector<float>{0.5, -2, 10}));
  EXPECT_EQ(t.class_names, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(t.labels, (std::vector<std::int32_t>{1, 0, 1}));
  EXPECT_EQ(t.source_lines, (std::vector<std::size_t>{2, 4, 5}));
  EXPECT_EQ(t.feature_name(2), "feature 3");
}

TEST_F(Libsvm, IsRecognisedByContentAndByNameOnlyInDoubt) {
  EXPECT_EQ(read_table(file("a.csv", "1 1:2\n2 1:3\n")).format, Format::libsvm);
  EXPECT_EQ(read_table(file("b.txt", "x,label\n1,a\n2,b\n")).format, Format::csv);
  const auto spoiled = file("c.svm", "one 1:2\ntwo 1:3\n");
  expect_error([&] { read_table(spoiled); }, {"line 1, column 1: the label 'one'"});
}

TEST_F(Libsvm, TestDataHasTheFeaturesOfTraining) {
  const Table training = read_table(file("a.svm", "1 1:2 2:1 3:1 4:1\n2 1:3\n"));
  const Table t = read_table_like(file("b.svm", "2 2:3\n"), training);
  EXPECT_EQ(t.features, 4U);
  EXPECT_EQ(t.labels, (std::vector<std::int32_t>{1}));
  const auto higher = file("c.svm", "2 2:3\n1 1:1 5:1\n");
  expect_error([&] { read_table_like(higher, training); },
               {"line 2, column 7", "the index 5 is above 4, the largest one of the training data"});
  const auto unknown = file("d.svm", "3 2:3\n");
  expect_error([&] { read_table_like(unknown, training); }, {"the label '3' in 1 row"});
}

TEST_F(Libsvm, ColumnsWithoutValuesAreNoFeatures) {
  const Table t = read_table(file("a.svm", "1 3:2 70:1 100000000:4\n2 70:3\n"));
  EXPECT_EQ(t.features, 3U);
  EXPECT_EQ(t.columns, (std::vector<std::uint32_t>{0, 1, 2, 1}));
  EXPECT_EQ(t.column_numbers, (std::vector<std::uint32_t>{3, 70, 100000000}));
  EXPECT_EQ(t.feature_name(2), "feature 100000000");
  EXPECT_EQ(t.notes,
            (std::vector<std::string>{"of the columns 1 to 100000000 only 3 hold values: the others are no features"}));
  EXPECT_EQ(subset(t, std::vector<std::uint32_t>{1}).column_numbers, t.column_numbers);

  const Table like = read_table_like(file("b.svm", "1 2:9 70:5 71:9\n"), t);
  EXPECT_EQ(like.features, 3U);
  EXPECT_EQ(like.columns, (std::vector<std::uint32_t>{1}));
  EXPECT_EQ(like.values, (std::vector<float>{5}));
  EXPECT_EQ(like.feature_name(1), "feature 70");
  EXPECT_EQ(like.notes,
            (std::vector<std::string>{"2 values in columns that hold nothing in the training data: left out"}));
}

TEST_F(Libsvm, UnusedColumnsMayBeDroppedLater) {
  const auto data = file("a.svm", "1 3:2 70:1\n2 70:3\n");
  Table t = read_table(data, {.keep_unused_columns = true});
  EXPECT_EQ(t.features, 70U);
  EXPECT_EQ(t.columns, (std::vector<std::uint32_t>{2, 69, 69}));
  EXPECT_EQ(drop_unused_columns(t), "of the columns 1 to 70 only 2 hold values: the others are no features");
  const Table dropped = read_table(data);
  EXPECT_EQ(t.columns, dropped.columns);
  EXPECT_EQ(t.column_numbers, dropped.column_numbers);
  EXPECT_EQ(drop_unused_columns(t), "") << "there is nothing more to drop";
  Table whole = read_table(file("b.svm", "1 1:2 2:1\n2 2:3\n"));
  EXPECT_EQ(drop_unused_columns(whole), "");
  EXPECT_TRUE(whole.column_numbers.empty());
}

TEST_F(Libsvm, BadLabel) { rejects("1 1:2\nspam 1:3\n", {"a.libsvm, line 2, column 1: the label 'spam'"}); }
TEST_F(Libsvm, BadPair) { rejects("1 1:2\n2 1:3 4\n", {"line 2, column 7: '4' is not of the form index:value"}); }
TEST_F(Libsvm, ZeroIndex) {
  rejects("1 0:2\n2 1:3\n", {"line 1, column 3: the index '0' is not a whole number from 1"});
}
TEST_F(Libsvm, BadIndex) { rejects("1 1:2 qid:2\n2 1:3\n", {"line 1, column 7: the index 'qid'"}); }
TEST_F(Libsvm, NotIncreasing) { rejects("1 2:2 2:3\n2 1:3\n", {"the index 2 follows 2", "must increase"}); }
TEST_F(Libsvm, HugeIndex) { rejects("1 4000000000:2\n2 1:3\n", {"4000000000 is above the allowed 100000000"}); }
TEST_F(Libsvm, BadValue) { rejects("1 1:2 2:x\n2 1:3\n", {"line 1, column 7: the value 'x' of feature 2"}); }
TEST_F(Libsvm, InfiniteValue) { rejects("1 1:nan\n2 1:3\n", {"the value 'nan' of feature 1 is not a finite"}); }
TEST_F(Libsvm, OverflowingValue) { rejects("1 1:1e40\n2 1:3\n", {"not a finite single-precision number"}); }
TEST_F(Libsvm, OneClass) { rejects("1 1:2\n1 1:3\n", {"all 2 rows have the label '1'"}); }
TEST_F(Libsvm, NoFeatures) {
  const Table training = read_table(file("t.svm", "1 1:2\n2 1:3\n"));
  const auto empty = file("e.svm", "# nothing\n");
  expect_error([&] { read_table_like(empty, training); }, {"holds no rows"});
  rejects("1\n2\n", {"no line has a feature"});
}

}  // namespace
}  // namespace bilevel::data
