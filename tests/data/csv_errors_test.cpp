// One test a sentence that a bad CSV file earns.
#include "data/files.hpp"

namespace bilevel::data {
namespace {

class CsvErrors : public DataTest {
 protected:
  void rejects(std::string_view text, std::initializer_list<std::string_view> parts,
               const ReadOptions& options = {}) const {
    const std::string data = file("bad.csv", text);
    expect_error([&] { read_table(data, options); }, parts);
  }
};

TEST_F(CsvErrors, MissingValues) {
  rejects("age,job,label\n1,a,x\n,a,y\n3,NA,x\n4,b,?\n5,null,x\nnan,a,y\n7,a,\n",
          {"bad.csv", "6 missing values", "row 2 (line 3), column 'age'", "row 3 (line 4), column 'job'",
           "row 4 (line 5), column 'label'", "and 1 more", "fill them in or remove the rows"});
}

TEST_F(CsvErrors, InfiniteValues) {
  rejects("a,b,label\n1,2,x\n3,inf,y\n1e39,5,x\n",
          {"2 values", "row 2 (line 3), column 'b' has 'inf'", "row 3 (line 4), column 'a' has '1e39'"});
}

TEST_F(CsvErrors, NotANumberIsAMissingOrNonFiniteFeature) {
  rejects("a,label\n1,x\nnan,y\n", {"row 2 (line 3), column 'a'"}, {.missing = {}});
}

TEST_F(CsvErrors, RaggedRows) {
  rejects("a,b,label\n1,2,x\n3,y\n", {"bad.csv, line 3 (row 2): has 2 fields, but the header has 3"});
  rejects("1,2,0\n3,4,1,5\n", {"line 2 (row 2): has 4 fields, but the first line has 3"});
}

TEST_F(CsvErrors, AbsentLabelColumn) {
  rejects("age,income,klass\n1,2,x\n3,4,y\n",
          {"no column 'class'", "nearest: 'klass'", "its 3 columns are 'age', 'income', 'klass'"}, {.label = "class"});
  rejects("a,b\n1,2\n3,4\n", {"no column '3'"}, {.label = "3"});
}

TEST_F(CsvErrors, AbsentDroppedColumn) {
  rejects("a,b,label\n1,2,x\n3,4,y\n", {"no column 'c', named by the option drop"}, {.drop = {"c"}});
}

TEST_F(CsvErrors, LabelDropped) {
  const auto data = file("a.csv", "a,label\n1,x\n2,y\n");
  expect_error<InvalidOption>([&] { read_table(data, {.drop = {"label"}}); }, {"'label' is both the label"});
}

TEST_F(CsvErrors, OneClass) {
  rejects("a,label\n1,x\n2,x\n", {"all 2 rows have the label 'x'; at least two classes are needed"});
}

TEST_F(CsvErrors, NoRows) {
  rejects("a,label\n", {"holds a header and no rows"});
  rejects("\n\n", {"holds no rows"});
  rejects("", {"the file is empty"});
}

TEST_F(CsvErrors, OneColumn) { rejects("a\n1\n2\n", {"the first line has one field"}); }

TEST_F(CsvErrors, NothingLeftToLearnFrom) {
  rejects("id,label\n1,x\n2,y\n", {"no column is left to be a feature"}, {.drop = {"id"}});
}

TEST_F(CsvErrors, ColumnsNamedAlike) {
  rejects("a,b,a,label\n1,2,3,x\n4,5,6,y\n", {"the columns 1 and 3 are both named 'a'"});
}

TEST_F(CsvErrors, TextWithTooManyValues) {
  std::string text = "name,x,label\n";
  for (int i = 0; i < 150; ++i) {
    text += "person" + std::to_string(i) + ",1," + std::to_string(i % 2) + "\n";
  }
  rejects(text,
          {"the column 'name' has 150 different texts in 150 rows", "'person0' in row 1, line 2", "drop the column"});
}

TEST_F(CsvErrors, AHeaderOfYearsReadAsData) {
  std::string text = "2019,size,label\n";
  for (int i = 0; i < 150; ++i) text += "1," + std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  rejects(text, {"the column 'column2' has 151 different texts", "'size' in row 1, line 1", "is it a header?"});
}

TEST_F(CsvErrors, AMissingValueInTheFirstLineIsNotAName) {
  rejects("?,red,a\n1,blue,b\n2,red,a\n", {"1 missing value", "row 1 (line 1), column 'column1'"});
}

TEST_F(CsvErrors, LabelsThatAreNotClasses) {
  std::string text = "x,price\n";
  for (int i = 0; i < 150; ++i) text += std::to_string(i % 3) + "," + std::to_string(i) + ".5\n";
  rejects(text, {"150 different labels in 150 rows", "choose another label column"});
}

TEST_F(CsvErrors, DecimalCommas) { rejects("x;label\n1,5;a\n2,25;b\n", {"the column 'x' has decimal commas ('1,5')"}); }

TEST_F(CsvErrors, NotText) {
  rejects(std::string_view("a,b\n1,\0\n", 8), {"zero byte at position 7"});
  rejects(
      "\xFF\xFE"
      "a",
      {"is UTF-16 text"});
}

TEST_F(CsvErrors, NoSuchFile) {
  file("people.csv", "a,label\n1,x\n2,y\n");
  expect_error([&] { read_table(path("poeple.csv")); }, {"no such file (nearest: 'people.csv')"});
  expect_error([&] { read_table(path("")); }, {"is a folder"});
  expect_error([&] { read_table(""); }, {"the name of a data file is empty"});
  expect_error([&] { read_table("a,b,c"); }, {"'a,b,c' is neither a file nor a pair"});
}

TEST_F(CsvErrors, TooLarge) {
  const std::string text = "a,b,label\n1,2,x\n3,4,y\n";
  rejects(text, {"holds 22 bytes, more than the allowed 10"}, {.max_bytes = 10});
  rejects("a,b,label\n1,p,x\n3,q,y\n", {"2 x 3 features need 70 bytes, more than the allowed 69"}, {.max_bytes = 69});
  EXPECT_EQ(read_table(file("a.csv", "a,b,label\n1,p,x\n3,q,y\n"), {.max_bytes = 70}).rows, 2U)
      << "22 bytes of text, 24 of numbers and categories, 24 of features";
}

TEST_F(CsvErrors, WrongNumberOfClassNames) {
  const auto data = file("a.csv", "x,label\n1,a\n2,b\n");
  expect_error<InvalidOption>([&] { read_table(data, {.class_names = {"one"}}); },
                              {"class_names has 1 name, but", "2 labels: 'a', 'b'"});
}

TEST_F(CsvErrors, UnknownSeparator) {
  const auto data = file("a.csv", "x,label\n1,a\n2,b\n");
  expect_error<InvalidOption>([&] { read_table(data, {.separator = '|'}); }, {"the separator '|'"});
}

}  // namespace
}  // namespace bilevel::data
