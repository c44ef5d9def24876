#include <cmath>

#include "bilevel/random.hpp"
#include "bilevel/text.hpp"
#include "data/files.hpp"

namespace bilevel::data {
namespace {

using Names = std::vector<std::string>;
using Labels = std::vector<std::int32_t>;

class TextFolders : public DataTest {
 protected:
  TextFolders() {
    for (const char* const folder : {"mail/ham", "mail/spam", "more"})
      std::filesystem::create_directories(path(folder));
    file("mail/spam/1.txt", "money");
    file("mail/ham/b.txt", "lunch");
    file("mail/ham/a.txt", "From: a\nTo: b\n\nmoney lunch");
    file("mail/ham/a.json", "{}");
    file("more/c.TXT", "money");
    ham_ = "ham:" + path("mail/ham");
    spam_ = "spam:" + path("mail/spam");
  }

  void rejects(const std::string& spec, std::initializer_list<std::string_view> parts) const {
    EXPECT_TRUE(is_text(spec)) << spec;
    expect_error([&] { read_text(spec); }, parts);
  }

  std::string ham_;
  std::string spam_;
};

TEST_F(TextFolders, ASubfolderForEachClass) {
  const Table t = read_text(path("mail"));
  EXPECT_EQ(t.format, Format::text);
  EXPECT_TRUE(t.sparse);
  EXPECT_EQ(t.rows, 3U);
  EXPECT_EQ(t.features, 16384U);
  EXPECT_EQ(t.class_names, (Names{"ham", "spam"}));
  EXPECT_EQ(t.labels, (Labels{0, 0, 1}));
  EXPECT_EQ(t.source_lines, (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(t.row_starts, (std::vector<std::size_t>{0, 2, 3, 4}));
  EXPECT_EQ(t.columns, (std::vector<std::uint32_t>{2563, 5395, 2563, 5395}));  // lunch, money; lunch; money
  const auto half = static_cast<float>(std::sqrt(0.5));
  EXPECT_EQ(t.values, (std::vector<float>{-half, half, -1, 1}));
  EXPECT_TRUE(t.notes.empty());
  EXPECT_EQ(t.feature_name(6), "word bucket 7");
  EXPECT_EQ(t.summary(), "3 rows, 16384 features (4 values stored), 2 classes");
}

TEST_F(TextFolders, PartsKeepTheirOrderAndMayRepeatAClass) {
  const Table t = read_text(spam_ + ", " + ham_ + ",spam:" + path("more"));
  EXPECT_EQ(t.class_names, (Names{"ham", "spam"}));
  EXPECT_EQ(t.labels, (Labels{1, 0, 0, 1}));
}

TEST_F(TextFolders, TheSameTableTwice) {
  const Table a = read_text(path("mail"));
  const Table b = read_text(path("mail"));
  EXPECT_EQ(a.columns, b.columns);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.source_checksum, b.source_checksum);
}

TEST_F(TextFolders, HeadersCountIfWanted) {
  const Table t = read_text(path("mail"), {.skip_headers = false});
  EXPECT_EQ(t.row_starts[1], 6U);  // from, a, to, b, money, lunch
}

TEST_F(TextFolders, FolderNamesMayHaveCommasAndColons) {
  std::filesystem::create_directories(path("x:1,y"));
  file("x:1,y/1.txt", "a");
  EXPECT_EQ(read_text("odd:" + path("x:1,y") + "," + ham_).labels, (Labels{1, 0, 0}));
}

TEST_F(TextFolders, ATestSetMayLackClassesButNotHaveOthers) {
  const Table training = read_text(path("mail"), {.buckets = 1000});
  const Table t = read_text_like("spam:" + path("more"), training);
  EXPECT_EQ(t.labels, Labels{1});
  EXPECT_EQ(t.class_names, training.class_names);
  EXPECT_EQ(t.features, 1000U);
  EXPECT_EQ(t.columns, std::vector<std::uint32_t>{947});
  expect_error([&] { read_text_like("Spam:" + path("more"), training); },
               {"the label 'Spam' in 1 row (nearest: 'spam') does not occur in the training data",
                "whose labels are 'ham', 'spam'"});
}

TEST_F(TextFolders, OneClassIsNoTrainingData) {
  rejects(ham_, {"all 2 rows have the label 'ham'; at least two classes are needed"});
}

TEST_F(TextFolders, WhatIsLeftOutIsTold) {
  std::filesystem::create_directories(path("mail/attic"));
  file("mail/readme.txt", "hello");
  file("mail/ham/c.txt", "");
  file("mail/ham/d.txt", "...");
  const Table t = read_text(path("mail"));
  EXPECT_EQ(t.rows, 5U);
  EXPECT_TRUE(has_note(t, "1 subfolder of '" + path("mail").substr(0, 20)));
  EXPECT_TRUE(has_note(t, "without .txt files: 'attic' ignored"));
  EXPECT_TRUE(has_note(t, "in no subfolder: ignored"));
  EXPECT_TRUE(has_note(t, "2 of 5 documents without a word: rows of zeros"));
  EXPECT_EQ(t.row_starts, (std::vector<std::size_t>{0, 2, 3, 3, 3, 4}));
}

TEST_F(TextFolders, UnusableFolders) {
  std::filesystem::create_directories(path("empty"));
  rejects(path("empty"), {"empty: has no .txt file in any subfolder"});
  rejects(path("mail/ham"), {"ham: its 2 .txt files lie in no subfolder", "give 'class:"});
  rejects("a:" + path("empty") + "," + ham_, {"empty: has no .txt file for the class 'a'"});
  rejects("ham:" + path("mial") + "," + spam_, {"mial: no such folder, given for the class 'ham' (nearest: 'mail')"});
  rejects("ham:" + path("mail/ham/a.txt") + "," + spam_, {"a.txt: is a file, not a folder"});
  rejects(ham_ + ",spam:" + path("mail/../mail/ham"), {"mail/ham: is given twice"});
  file("mail/ham/a.txt", "");
  file("mail/ham/b.txt", "?");
  file("mail/spam/1.txt", "!");
  rejects(path("mail"), {"none of the 3 documents has a word"});
}

TEST_F(TextFolders, ATestSetWithoutWordsIsRead) {
  const Table training = read_text(path("mail"));
  file("more/c.TXT", "");
  const Table t = read_text_like("ham:" + path("more"), training);
  EXPECT_EQ(t.row_starts, (std::vector<std::size_t>{0, 0}));
  EXPECT_TRUE(has_note(t, "1 of 1 document without a word"));
}

TEST_F(TextFolders, Limits) {
  for (const std::size_t buckets : {std::size_t{15}, (std::size_t{1} << 24) + 1}) {
    expect_error<InvalidOption>([&] { read_text(path("mail"), {.buckets = buckets}); },
                                {"buckets is", "from 16 to 16777216"});
  }
  EXPECT_EQ(read_text(path("mail"), {.buckets = 16}).features, 16U);
  expect_error([&] { read_text(path("mail"), {.max_bytes = 35}); }, {"its 3 documents hold more than the allowed 35"});
  EXPECT_EQ(read_text(path("mail"), {.max_bytes = 36}).rows, 3U);
}

TEST_F(TextFolders, WhatIsText) {
  EXPECT_TRUE(is_text(path("mail")));
  EXPECT_TRUE(is_text("ham:nowhere,spam:nowhere"));
  EXPECT_FALSE(is_text(path("mail/ham/a.txt")));
  EXPECT_FALSE(is_text("people.csv"));
  EXPECT_FALSE(is_text("images.gz,labels.gz"));
  EXPECT_FALSE(is_text("data/a:b"));
  EXPECT_FALSE(is_text(""));
  EXPECT_FALSE(is_text(":folder"));
  EXPECT_FALSE(is_text("class:"));
}

TEST_F(TextFolders, TextAndTablesDoNotMix) {
  const Table text = read_text(path("mail"));
  const auto csv = file("a.csv", "x,label\n1,ham\n2,spam\n");
  expect_error([&] { read_table_like(csv, text); }, {"the training data", "is text"});
  expect_error([&] { read_text_like(path("mail"), read_table(csv)); }, {"the training data", "is not text"});
  expect_error([] { read_text(" "); }, {"the name of the texts is empty"});
}

TEST_F(TextFolders, RowsAreNotScaledUnlessAsked) {
  const Table t = read_text(path("mail"));
  EXPECT_EQ(fit_standardizer(t, Scaling::automatic).scaling, Scaling::none);
  EXPECT_EQ(fit_standardizer(t, Scaling::standardize).scaling, Scaling::standardize);
}

TEST_F(TextFolders, CleanedFoldersAreAListOfFiles) {
  const Table t = read_text(path("mail"));
  EXPECT_EQ(write_cleaned_csv(path("out.csv"), t, std::vector<std::uint8_t>{1, 0, 1}), 2U);
  EXPECT_EQ(content("out.csv"),
            "file,label\n" + path("mail/ham/a.txt") + ",ham\n" + path("mail/spam/1.txt") + ",spam\n");
  const std::vector<std::uint32_t> rows = {2, 1};
  EXPECT_EQ(write_cleaned_csv(path("out.csv"), subset(t, rows), std::vector<std::uint8_t>{0, 1}), 1U);
  EXPECT_EQ(content("out.csv"), "file,label\n" + path("mail/ham/b.txt") + ",ham\n");
  expect_error(
      [&] {
        write_cleaned_csv(path("mail/ham/a.txt"), t, std::vector<std::uint8_t>{1, 0, 1});
      },
      {"a.txt: is the training data itself"});
  file("mail/ham/0.txt", "new");
  expect_error(
      [&] {
        write_cleaned_csv(path("out.csv"), t, std::vector<std::uint8_t>{1, 0, 1});
      },
      {"files were added or removed since it was read"});
}

TEST_F(TextFolders, AnyBytesAreADocument) {
  file("mail/ham/gz.txt", "\x1f\x8b not gzip");
  file("mail/ham/utf16.txt", std::string("\xff\xfeh\0i\0", 6));
  Random random(20240613);
  for (int i = 0; i < 50; ++i) {
    std::string bytes(random.below(3000), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    file("mail/spam/random" + std::to_string(i) + ".txt", bytes);
  }
  const Table t = read_text(path("mail"), {.buckets = 100});
  EXPECT_EQ(t.rows, 55U);
  for (std::size_t i = 0; i < t.rows; ++i) {
    double squares = 0;
    for (std::size_t k = t.row_starts[i]; k < t.row_starts[i + 1]; ++k) {
      EXPECT_LT(t.columns[k], 100U);
      squares += static_cast<double>(t.values[k]) * static_cast<double>(t.values[k]);
    }
    EXPECT_NEAR(squares, t.row_starts[i] == t.row_starts[i + 1] ? 0 : 1, 2e-7);  // values are rounded by 6e-8
  }
}

}  // namespace
}  // namespace bilevel::data
