#include "bilevel/text.hpp"
#include "data/files.hpp"

namespace bilevel::data {
namespace {

using Labels = std::vector<std::int32_t>;
using Columns = std::vector<std::uint32_t>;

constexpr std::uint32_t kLunch = 2563;
constexpr std::uint32_t kMoney = 5395;

class TextCsv : public DataTest {
 protected:
  Table read(std::string_view content, const TextOptions& options = {}) const {
    return read_text(file("a.csv", content), options);
  }
  void rejects(std::string_view content, std::initializer_list<std::string_view> parts) const {
    const auto data = file("a.csv", content);
    expect_error([&] { read_text(data); }, parts);
  }
};

TEST_F(TextCsv, ATextAndALabelColumn) {
  const Table t = read("label,Text\nspam,\"money,\nmoney\"\nham,lunch\nspam,lunch\n");
  EXPECT_EQ(t.format, Format::text);
  EXPECT_EQ(t.class_names, (std::vector<std::string>{"ham", "spam"}));
  EXPECT_EQ(t.labels, (Labels{1, 0, 1}));
  EXPECT_EQ(t.columns, (Columns{kMoney, kLunch, kLunch}));
  EXPECT_EQ(t.source_lines, (std::vector<std::size_t>{2, 4, 5}));
  EXPECT_EQ(t.encoding.at(1).kind, Column::Kind::text);
  EXPECT_TRUE(t.notes.empty());
}

TEST_F(TextCsv, Compressed) {
  EXPECT_EQ(read_text(file("a.csv.gz", gzip("text,label\nmoney,1\nlunch,0\n"))).labels, (Labels{1, 0}));
}

TEST_F(TextCsv, AUsualNameTellsAHeader) {
  // The document "text" and the label "label" occur again below the header.
  EXPECT_EQ(read("label,text\nlabel,text\nham,lunch\n").rows, 2U);
}

TEST_F(TextCsv, ColumnsByNameOrNumber) {
  const std::string content = "note,body,kind\nmoney,lunch,a\nlunch,money,b\n";
  EXPECT_EQ(read(content, {.label = "kind"}).columns, (Columns{kLunch, kMoney}));
  EXPECT_EQ(read(content, {.text = "note", .label = "kind"}).columns, (Columns{kMoney, kLunch}));
  EXPECT_EQ(read(content, {.text = "1", .label = "3"}).columns, (Columns{kMoney, kLunch}));
  EXPECT_TRUE(has_note(read(content, {.text = "1", .label = "3"}), "1 column neither text nor label: 'body' ignored"));
  expect_error([&] { read(content, {.text = "nite"}); },
               {"no column 'nite', named by the option text (nearest: 'note')"});
  expect_error<InvalidOption>([&] { read(content, {.text = "kind", .label = "kind"}); },
                              {"the column 'kind' is both the label and the text"});
}

TEST_F(TextCsv, WithoutNamesTheLongestColumnIsTheText) {
  const Table t = read("ham;let us have lunch\nspam;free money\nham;no\n");
  EXPECT_EQ(t.rows, 3U);
  EXPECT_EQ(t.labels, (Labels{0, 1, 0}));
  EXPECT_EQ(t.encoding[1].kind, Column::Kind::text);
  EXPECT_TRUE(has_note(t, "no text column was named; 'column2', which has the longest fields, is taken"));
  EXPECT_TRUE(has_note(t, "no label column was named; 'column1' is taken, for the other one is the text"));
}

TEST_F(TextCsv, TheLabelIsNeverTakenAsTheText) {
  const Table t = read("label,remark\na-very-long-label-indeed,x\nanother-very-long-label,y\n");
  EXPECT_EQ(t.encoding[1].kind, Column::Kind::text);
  // A label column named only by its usual name gives way to a text column that the caller named.
  EXPECT_EQ(read("label,remark\nmoney,x\nlunch,y\n", {.text = "label"}).encoding[1].kind, Column::Kind::label);
}

TEST_F(TextCsv, ATestSetIsReadLikeTraining) {
  const Table training = read("id,text,label\n1,money,spam\n2,lunch,ham\n");
  const Table t = read_text_like(file("b.csv", "label,extra,text\nspam,?,lunch\n"), training);
  EXPECT_EQ(t.labels, Labels{1});
  EXPECT_EQ(t.columns, Columns{kLunch});
  EXPECT_TRUE(has_note(t, "1 column not in the training data: 'extra' ignored"));
  const auto lacking = file("c.csv", "label,txt\nspam,lunch\n");
  expect_error([&] { read_text_like(lacking, training); }, {"lacks the column 'text' of the training data"});
  const auto unknown = file("d.csv", "text,label\nlunch,eggs\n");
  expect_error([&] { read_text_like(unknown, training); }, {"the label 'eggs' in 1 row"});
}

TEST_F(TextCsv, FoldersAndFilesGoTogether) {
  std::filesystem::create_directories(path("new"));
  file("new/1.txt", "money");
  const Table csv = read("text,label\nmoney,spam\nlunch,ham\n");
  EXPECT_EQ(read_text_like("spam:" + path("new"), csv).labels, Labels{1});
  std::filesystem::create_directories(path("old"));
  file("old/1.txt", "lunch");
  const Table folders = read_text("spam:" + path("new") + ",ham:" + path("old"));
  EXPECT_EQ(read_text_like(path("a.csv"), folders).labels, (Labels{1, 0}));
}

TEST_F(TextCsv, HeadersOfMailsAreLeftOut) {
  const std::string content = "text,label\n\"To: a\nFrom: b\n\nmoney\",1\nlunch,0\n";
  EXPECT_EQ(read(content).columns, (Columns{kMoney, kLunch}));
  EXPECT_GT(read(content, {.skip_headers = false}).columns.size(), 2U);
}

TEST_F(TextCsv, DocumentsWithoutWordsAreEmptyRows) {
  const Table t = read("text,label\n,1\nlunch,0\n");
  EXPECT_EQ(t.row_starts, (std::vector<std::size_t>{0, 0, 1}));
  EXPECT_TRUE(has_note(t, "1 of 2 documents without a word: rows of zeros"));
}

TEST_F(TextCsv, TheOriginalRecordsAreKept) {
  const Table t = read("label,text\r\nspam,\"money \"\"now\"\"\"\r\nham,lunch\r\n");
  EXPECT_EQ(write_cleaned_csv(path("out.csv"), t, std::vector<std::uint8_t>{1, 0}), 1U);
  EXPECT_EQ(content("out.csv"), "label,text\r\nspam,\"money \"\"now\"\"\"\r\n");
}

TEST_F(TextCsv, MissingFile) {
  file("sms.csv", "x");
  expect_error([&] { read_text(path("sns.csv")); }, {"sns.csv: no such file (nearest: 'sms.csv')"});
}
TEST_F(TextCsv, OneColumn) { rejects("text\nmoney\n", {"the first line has one field"}); }
TEST_F(TextCsv, RaggedRecord) {
  rejects("text,label\nmoney,1\nlunch, or,0\n", {"line 3 (row 2): has 3 fields, but the header has 2"});
}
TEST_F(TextCsv, MissingLabel) {
  rejects("text,label\nmoney,\nlunch,0\nx,1\n", {"1 missing value: row 1 (line 2), column 'label'"});
}
TEST_F(TextCsv, OneClass) { rejects("text,label\nmoney,1\nlunch,1\n", {"all 2 rows have the label '1'"}); }
TEST_F(TextCsv, NoRows) { rejects("text,label\n", {"holds a header and no rows"}); }
TEST_F(TextCsv, ZeroBytes) {
  rejects(std::string_view("text,label\n\0,1\n", 15), {"has a zero byte", "or a CSV file of texts"});
}
TEST_F(TextCsv, NoWordAtAll) { rejects("text,label\n.,1\n!,0\n", {"none of the 2 documents has a word"}); }

}  // namespace
}  // namespace bilevel::data
