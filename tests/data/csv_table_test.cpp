#include "data/files.hpp"

namespace bilevel::data {
namespace {

using Csv = DataTest;
using Floats = std::vector<float>;
using Labels = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

TEST_F(Csv, ReadsNumbersAndTextLabels) {
  const Table t = read_table(file("a.csv", "x,y1,label\n1,-2.5,no\n+3,1e2,yes\n.5, 7 ,no\n"));
  EXPECT_EQ(t.rows, 3U);
  EXPECT_EQ(t.features, 2U);
  EXPECT_EQ(t.classes, 2U);
  EXPECT_EQ(t.dense, (Floats{1, -2.5, 3, 100, 0.5, 7}));
  EXPECT_EQ(t.labels, (Labels{0, 1, 0}));
  EXPECT_EQ(t.class_names, (Names{"no", "yes"}));
  EXPECT_EQ(t.feature_names, (Names{"x", "y1"}));
  EXPECT_EQ(t.source_lines, (std::vector<std::size_t>{2, 3, 4}));
  EXPECT_TRUE(t.has_header);
  EXPECT_FALSE(t.sparse);
  EXPECT_TRUE(t.notes.empty()) << t.notes.front();
  EXPECT_EQ(t.summary(), "3 rows, 2 features, 2 classes");
}

TEST_F(Csv, AcceptsByteOrderMarkLineEndsAndSeparators) {
  for (const std::string separator : {",", ";", "\t"}) {
    const auto s = separator;
    const Table t = read_table(file("a.csv", "\xEF\xBB\xBF" + ("x" + s + "class\r\n1" + s + "a\r\n2" + s + "b")));
    EXPECT_EQ(t.feature_names, Names{"x"}) << separator;
    EXPECT_EQ(t.dense, (Floats{1, 2})) << separator;
    EXPECT_EQ(t.separator, separator[0]);
  }
}

TEST_F(Csv, ASemicolonFileMayHaveCommasInItsText) {
  const Table t = read_table(file("a.csv", "place;x;y\nRome, Italy;1;0\nBonn;2;1\n"));
  EXPECT_EQ(t.feature_names, (Names{"place=Bonn", "place=Rome, Italy", "x"}));
}

TEST_F(Csv, DetectsAMissingHeader) {
  const Table t = read_table(file("a.csv", "1,2,a\n3,4,b\n"));
  EXPECT_FALSE(t.has_header);
  EXPECT_EQ(t.rows, 2U);
  EXPECT_EQ(t.feature_names, (Names{"column1", "column2"}));
  EXPECT_TRUE(has_note(t, "the first line is data"));
  EXPECT_TRUE(has_note(t, "the last one, 'column3', is taken"));
}

TEST_F(Csv, DetectsAHeaderInAFileOfText) {
  const std::string rows = "red,small,yes\nblue,large,no\nred,large,yes\n";
  const Table named = read_table(file("a.csv", "colour,size,class\n" + rows));
  EXPECT_TRUE(named.has_header);
  EXPECT_TRUE(has_note(named, "its first line is taken as the column names"));
  const Table unnamed = read_table(file("a.csv", rows));
  EXPECT_FALSE(unnamed.has_header);
  EXPECT_TRUE(has_note(unnamed, "the first line is taken as data"));
}

TEST_F(Csv, HeaderCanBeForced) {
  const auto years = file("a.csv", "2019,2020,3\n1,2,0\n3,4,1\n");
  const Table t = read_table(years, {.header = Header::yes});
  EXPECT_EQ(t.rows, 2U);
  EXPECT_EQ(t.feature_names, (Names{"2019", "2020"}));
  const Table u = read_table(file("b.csv", "a,x\nb,y\nc,x\n"), {.header = Header::no});
  EXPECT_EQ(u.rows, 3U);
}

TEST_F(Csv, TheLabelIsFoundByNameNumberOrLast) {
  const auto data = file("a.csv", "a,b,c\n1,5,9\n2,6,8\n");
  EXPECT_EQ(read_table(data, {.label = "b"}).feature_names, (Names{"a", "c"}));
  EXPECT_EQ(read_table(data, {.label = "1"}).feature_names, (Names{"b", "c"}));
  EXPECT_EQ(read_table(data, {.label = "last"}).feature_names, (Names{"a", "b"}));
  EXPECT_EQ(read_table(file("b.csv", "Target,b\n1,5\n2,6\n")).feature_names, (Names{"b"}));
}

TEST_F(Csv, NumericLabelsAreOrderedByValueAndMerged) {
  const Table t = read_table(file("a.csv", "x,label\n1,10\n2,9\n3,10.0\n4,-1\n5,+9\n"));
  EXPECT_EQ(t.class_names, (Names{"-1", "9", "10"}));
  EXPECT_EQ(t.labels, (Labels{2, 1, 2, 0, 1}));
}

TEST_F(Csv, TextColumnsBecomeOneFeatureACategory) {
  const Table t = read_table(file("a.csv", "x,colour,label\n1,red,0\n2,\"blue\",1\n3,red,1\n"));
  EXPECT_EQ(t.feature_names, (Names{"x", "colour=blue", "colour=red"}));
  EXPECT_EQ(t.dense, (Floats{1, 0, 1, 2, 1, 0, 3, 0, 1}));
  EXPECT_TRUE(has_note(t, "a text column is encoded as one feature a category: 'colour' (2 features"));
}

TEST_F(Csv, OneTypingErrorIsToldWhereItMakesAColumnText) {
  const Table t = read_table(file("a.csv", "x,label\n1,0\n2,1\nl,0\n"));
  EXPECT_TRUE(has_note(t, "'x' (3 features from 'l' in row 3)"));
}

TEST_F(Csv, ConstantColumnsAreToldKeptOrLeftOut) {
  const auto data = file("a.csv", "x,c,d,label\n1,7,z,0\n2,7,z,1\n");
  const Table kept = read_table(data);
  EXPECT_EQ(kept.features, 3U);
  EXPECT_TRUE(has_note(kept, "2 columns with one value in all rows: 'c', 'd'"));
  const Table left = read_table(data, {.keep_constant_columns = false});
  EXPECT_EQ(left.feature_names, Names{"x"});
  EXPECT_EQ(left.dense, (Floats{1, 2}));
  EXPECT_EQ(read_table_like(data, left).dense, (Floats{1, 2}));
}

TEST_F(Csv, DropLeavesColumnsOut) {
  const Table t = read_table(file("a.csv", "id,x,label\nA7,1,0\nB9,2,1\n"), {.drop = {"id"}});
  EXPECT_EQ(t.feature_names, Names{"x"});
  EXPECT_EQ(t.dense, (Floats{1, 2}));
}

TEST_F(Csv, MissingSpellingsCanBeChosen) {
  const auto data = file("a.csv", "country,x,label\nNA,1,0\nDE,2,1\n");
  EXPECT_EQ(read_table(data, {.missing = {""}}).feature_names, (Names{"country=DE", "country=NA", "x"}));
  const auto coded = file("b.csv", "x,label\n-999,0\n2,1\n");
  expect_error([&] { read_table(coded, {.missing = {"-999"}}); }, {"1 missing value", "row 1", "'x'"});
}

TEST_F(Csv, TellsOfRowNumbersAndOfDigitsLostInSinglePrecision) {
  std::string text = "id,time,label\n";
  for (int i = 0; i < 12; ++i) {
    text += std::to_string(i) + "," + std::to_string(1700000000 + i * i % 7) + "," + std::to_string(i % 2) + "\n";
  }
  const Table t = read_table(file("a.csv", text));
  EXPECT_TRUE(has_note(t, "'id' counts the rows"));
  EXPECT_TRUE(has_note(t, "'time' lies between 1700000000 and 1700000004"));
}

TEST_F(Csv, UnderflowIsZero) { EXPECT_EQ(read_table(file("a.csv", "x,label\n1e-999,0\n2,1\n")).dense, (Floats{0, 2})); }

TEST_F(Csv, ClassNamesReplaceTheLabels) {
  const auto data = file("a.csv", "x,label\n1,0\n2,1\n");
  const Table t = read_table(data, {.class_names = {"ham", "spam"}});
  EXPECT_EQ(t.class_names, (Names{"ham", "spam"}));
  EXPECT_EQ(t.class_keys, (Names{"0", "1"}));
  EXPECT_EQ(read_table_like(data, t).class_names, (Names{"ham", "spam"}));
}

class LikeTraining : public DataTest {
 protected:
  const Table training_ = read_table(file("train.csv", "x,colour,label\n1,red,cat\n2,blue,dog\n3,green,cat\n"));
};

TEST_F(LikeTraining, MatchesColumnsByName) {
  const Table t = read_table_like(file("a.csv", "label;colour;x;more\ndog;green;5;1\n"), training_);
  EXPECT_EQ(t.dense, (Floats{5, 0, 1, 0}));
  EXPECT_EQ(t.labels, Labels{1});
  EXPECT_EQ(t.classes, 2U);
  EXPECT_EQ(t.feature_names, training_.feature_names);
  EXPECT_TRUE(has_note(t, "1 column not in the training data: 'more' ignored"));
}

TEST_F(LikeTraining, MatchesColumnsByPositionWithoutAHeader) {
  const Table t = read_table_like(file("a.csv", "5,red,dog\n6,blue,cat\n"), training_);
  EXPECT_EQ(t.dense, (Floats{5, 0, 0, 1, 6, 1, 0, 0}));
  EXPECT_TRUE(has_note(t, "in the order of the training data"));
}

TEST_F(LikeTraining, AnUnknownCategoryIsAllZeros) {
  const Table t = read_table_like(file("a.csv", "x,colour,label\n5,pink,dog\n6,pink,cat\n7,red,cat\n"), training_);
  EXPECT_EQ(t.dense, (Floats{5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 1}));
  EXPECT_TRUE(has_note(t, "'colour' has 1 text that the training data lacks, in 2 rows: 'pink'"));
}

TEST_F(LikeTraining, OneClassOnlyIsFine) {
  EXPECT_EQ(read_table_like(file("a.csv", "x,colour,label\n5,red,dog\n"), training_).labels, Labels{1});
}

TEST_F(LikeTraining, RejectsWhatDoesNotFit) {
  const auto like = [&](const char* text) { return [&, text] { read_table_like(file("a.csv", text), training_); }; };
  expect_error(like("x,colour,label\n5,red,dig\n6,red,dig\n"),
               {"a.csv", "'dig' in 2 rows", "nearest: 'dog'", "'cat', 'dog'"});
  expect_error(like("x,color,label\n5,red,dog\n"), {"lacks the column 'colour'", "nearest: 'color'"});
  expect_error(like("x,colour,label\nfive,red,dog\n"), {"row 1 (line 2), column 'x' has 'five'", "numeric"});
  expect_error(like("5,red\n"), {"has 2 columns, but the training data has 3"});
  expect_error(like("x,colour,label\n5,,dog\n"), {"1 missing value", "row 1 (line 2), column 'colour'"});
}

}  // namespace
}  // namespace bilevel::data
