// CSV files that are small and cost much if read carelessly.
#include <fmt/format.h>

#include "data/files.hpp"

namespace bilevel::data {
namespace {

using CsvHostile = DataTest;

/// Two text columns and a number; `categories` texts in the first.
std::string categories(std::size_t rows, std::size_t categories, std::size_t shift = 0) {
  std::string text = "a,word,colour,label\n";
  for (std::size_t i = 0; i < rows; ++i) {
    text += fmt::format("{},w{},{},{}\n", i % 5, (i + shift) % categories, i % 3 == 0 ? "red" : "blue", i % 2);
  }
  return text;
}

// 6000 x 3003 numbers would be 72 MB.
TEST_F(CsvHostile, ManyCategoriesAreKeptSparse) {
  const Table t = read_table(file("a.csv", categories(6000, 3000)));
  ASSERT_TRUE(t.sparse);
  EXPECT_TRUE(t.dense.empty());
  EXPECT_EQ(t.features, 3003U);
  ASSERT_EQ(t.row_starts.size(), t.rows + 1);
  EXPECT_EQ(t.columns.size(), t.values.size());
  EXPECT_EQ(t.values.size(), 6000U * 3 - 1200) << "the number is 0 in every fifth row";
  EXPECT_TRUE(has_note(t, "of the 3003 features at most 3 of a row are not 0: they are kept sparse"));
  for (const std::size_t row : {std::size_t{0}, std::size_t{7}, std::size_t{5999}}) {
    std::vector<std::string> names;
    for (std::size_t k = t.row_starts[row]; k < t.row_starts[row + 1]; ++k) {
      EXPECT_TRUE(k == t.row_starts[row] || t.columns[k - 1] < t.columns[k]);
      names.push_back(fmt::format("{} {}", t.feature_name(t.columns[k]), t.values[k]));
    }
    std::vector<std::string> expected;
    if (row % 5 != 0) expected.push_back(fmt::format("a {}", row % 5));
    expected.push_back(fmt::format("word=w{} 1", row % 3000));
    expected.push_back(row % 3 == 0 ? "colour=red 1" : "colour=blue 1");
    EXPECT_EQ(names, expected) << row;
  }
  // Files like it are kept alike, however small they are.
  const Table like = read_table_like(file("b.csv", categories(4, 3000, 2998)), t);
  EXPECT_TRUE(like.sparse);
  EXPECT_EQ(like.features, t.features);
  EXPECT_EQ(like.values.size(), 11U);
  const Table unknown = read_table_like(file("c.csv", "a,word,colour,label\n1,new,red,0\n"), t);
  EXPECT_EQ(unknown.values.size(), 2U) << "a category that training lacks is no value";
}

TEST_F(CsvHostile, FewCategoriesStayDense) {
  const Table t = read_table(file("a.csv", categories(600, 300)));
  EXPECT_FALSE(t.sparse);
  EXPECT_EQ(t.dense.size(), 600U * 303);
}

// Each of the searches for names that were quadratic took minutes at this width.
TEST_F(CsvHostile, AHundredThousandColumns) {
  constexpr std::size_t kColumns = 100'000;
  std::string header, row;
  for (std::size_t j = 0; j < kColumns; ++j) {
    header += fmt::format("name{},", j);
    row += fmt::format("{},", j % 7);
  }
  const std::string text = header + "label\n" + row + "1\n" + row + "2\n" + row + "1\n";
  const Table t = read_table(file("a.csv", text));
  EXPECT_EQ(t.features, kColumns);
  const Table like = read_table_like(file("b.csv", text), t);
  EXPECT_EQ(like.dense, t.dense);
  const auto misnamed = file("c.csv", "x" + text);
  expect_error([&] { read_table_like(misnamed, t); }, {"lacks the column 'name0'", "nearest: 'xname0'"});
  expect_error([&] { read_table(file("d.csv", "name7," + header + "label\n" + "1," + row + "1\n")); },
               {"the columns 1 and 9 are both named 'name7'"});
  expect_error([&] { read_table(file("e.csv", text), {.label = "nmae5"}); }, {"has no column 'nmae5'"});
}

TEST_F(CsvHostile, ManyColumnsThatCountAreSaidTogether) {
  std::string text;
  for (int j = 0; j < 50; ++j) text += fmt::format("n{},", j);
  text += "label\n";
  for (int i = 0; i < 12; ++i) {
    for (int j = 0; j < 50; ++j) text += fmt::format("{},", i + j);
    text += fmt::format("{}\n", i % 2);
  }
  const Table t = read_table(file("a.csv", text));
  EXPECT_TRUE(has_note(t, "the column 'n0' counts the rows"));
  EXPECT_TRUE(has_note(t, "45 more columns count the rows"));
  EXPECT_LT(t.notes.size(), 8U);
}

TEST_F(CsvHostile, AbsurdTextsAreShortInMessages) {
  const std::string absurd(300'000, 'a');
  const Table training = read_table(file("t.csv", "x,label\n1,yes\n2,no\n"));
  const auto short_error = [](const auto& action) {
    try {
      action();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const InvalidInput& error) {
      EXPECT_LT(std::string_view(error.what()).size(), 500U);
    }
  };
  short_error([&] { read_table_like(file("a.csv", "x,label\n1," + absurd + "\n"), training); });
  short_error([&] { read_table_like(file("b.csv", absurd + ",label\n1,yes\n"), training); });
  short_error([&] { read_labels(file("c.txt", absurd + "\nyes\n"), training); });
  short_error([&] { read_table_like(file("d.csv", "x,label\n" + absurd + ",yes\n"), training); });
  short_error([&] { read_table(absurd); });
  short_error([&] { read_table(absurd + "," + absurd); });
  short_error([&] { read_table(path(std::string(3000, 'n'))); });
}

}  // namespace
}  // namespace bilevel::data
