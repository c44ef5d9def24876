#include "bilevel/spreadsheet.hpp"
#include "data/files.hpp"

namespace bilevel::data {
namespace {

using Writers = DataTest;
using Flags = std::vector<std::uint8_t>;

TEST_F(Writers, CsvRecordsAreCopiedByteForByte) {
  const std::string header = "\xEF\xBB\xBFname,\"x\",label\r\n";
  const std::string first = "\"a, \"\"b\"\"\nc\",  1.50,yes\r\n";
  const std::string second = "d,2e0,no\r\n";
  const std::string third = "\"e\",3,yes";
  const Table t = read_table(file("a.csv", header + first + "\r\n" + second + third));
  ASSERT_EQ(t.rows, 3U);
  EXPECT_EQ(write_cleaned_csv(path("out.csv"), t, Flags{1, 0, 1}), 2U);
  EXPECT_EQ(content("out.csv"), header + first + third);
  EXPECT_EQ(write_cleaned_csv(path("out.csv"), t, Flags{0, 1, 0}), 1U);
  EXPECT_EQ(content("out.csv"), header + second);
}

TEST_F(Writers, ASubsetWritesItsOwnRowsInTheOrderOfTheFile) {
  const Table t = read_table(file("a.csv.gz", gzip("1,a\n2,b\n3,a\n4,b\n")));
  const std::vector<std::uint32_t> rows = {3, 0, 1};
  EXPECT_EQ(write_cleaned_csv(path("out.csv"), subset(t, rows), Flags{1, 1, 0}), 2U);
  EXPECT_EQ(content("out.csv"), "1,a\n4,b\n");
}

TEST_F(Writers, LibsvmLinesAreCopied) {
  const Table t = read_table(file("a.svm", "# comment\n+1 1:2.0 # kept\n-1 2:3\n-1"));
  EXPECT_EQ(write_cleaned_csv(path("out.svm"), t, Flags{1, 0, 1}), 2U);
  EXPECT_EQ(content("out.svm"), "+1 1:2.0 # kept\n-1");
}

TEST_F(Writers, IdxBecomesIndexAndLabel) {
  const Table t = read_table(file("i", idx(8, {3, 1, 1}, {1, 2, 3})) + "," + file("l", idx(8, {3}, {9, 4, 9})));
  EXPECT_EQ(write_cleaned_csv(path("out.csv"), t, Flags{1, 0, 1}), 2U);
  EXPECT_EQ(content("out.csv"), "index,label\n0,9\n2,9\n");
}

TEST_F(Writers, NoSpreadsheetRunsALabelAndReadingGivesItBack) {
  const std::string header = "=name,x,label\n";
  const std::string rows = "a,-1.5,=cmd\n\"@b \"\"c\"\"\",+2,+1\nd,3, -x\n'=e,4,\"@y, z\"\n-,5,''=q\nf,-6,plain\n";
  ReadOptions options;
  options.label = "label";
  const Table t = read_table(file("a.csv", header + rows), options);
  ASSERT_EQ(t.rows, 6U);
  write_cleaned_csv(path("out.csv"), t, Flags(6, 1));
  EXPECT_EQ(content("out.csv"),
            "'=name,x,label\na,-1.5,'=cmd\n\"'@b \"\"c\"\"\",+2,'+1\nd,3, '-x\n'=e,4,\"'@y, z\"\n-,5,''=q\n"
            "f,-6,plain\n");
  const Table again = read_table(path("out.csv"), options);
  EXPECT_EQ(again.class_keys, t.class_keys);
  EXPECT_EQ(again.labels, t.labels);
  EXPECT_EQ(again.dense, t.dense);
  EXPECT_EQ(again.encoding.front().name, "=name");
}

TEST_F(Writers, NumbersStayNumbers) {
  for (const std::string text : {"-1", "-1.5e3", "12", "a-b", "", "-", "'t Hooft", "x=y"}) {
    EXPECT_EQ(spreadsheet_text(text), text);
  }
  for (const std::string text : {"=1+1", "+1", "-x", "@x", " =x", "\t=x", "'=x", "--1"}) {
    EXPECT_EQ(spreadsheet_text(text), "'" + text);
  }
}

TEST_F(Writers, AChangedFileIsNotCopied) {
  const Table t = read_table(file("a.csv", "x,label\n1,a\n2,b\n"));
  file("a.csv", "x,label\n1,a\n3,b\n");
  expect_error([&] { write_cleaned_csv(path("out.csv"), t, Flags{1, 1}); }, {"a.csv: has changed since it was read"});
  EXPECT_FALSE(std::filesystem::exists(path("out.csv")));
}

TEST_F(Writers, TheInputIsNotOverwritten) {
  const Table t = read_table(file("a.csv", "x,label\n1,a\n2,b\n"));
  expect_error([&] { write_cleaned_csv(path("a.csv"), t, Flags{1, 0}); }, {"is the training data itself"});
  EXPECT_EQ(content("a.csv"), "x,label\n1,a\n2,b\n");
}

TEST_F(Writers, AnUnwritableFolderIsAnError) {
  const Table t = read_table(file("a.csv", "x,label\n1,a\n2,b\n"));
  expect_error(
      [&] {
        write_cleaned_csv(path("no/such/out.csv"), t, Flags{1, 0});
      },
      {"cannot be written", "No such file"});
}

TEST_F(Writers, NoTemporaryFileStays) {
  const Table t = read_table(file("a.csv", "x,label\n1,a\n2,b\n"));
  write_cleaned_csv(path("out.csv"), t, Flags{1, 0});
  std::filesystem::create_directories(path("folder.csv/inside"));
  EXPECT_THROW(write_cleaned_csv(path("folder.csv"), t, Flags{1, 0}), InvalidInput);
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path(""))) ++files;
  EXPECT_EQ(files, 3);
}

TEST_F(Writers, FlagsMustMatchTheRows) {
  const Table t = read_table(file("a.csv", "x,label\n1,a\n2,b\n"));
  expect_error<DimensionMismatch>([&] { write_cleaned_csv(path("out.csv"), t, Flags{1}); }, {"2 rows", "1 keep flag"});
}

}  // namespace
}  // namespace bilevel::data
