#include "data/csv_lexer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "data/files.hpp"

namespace bilevel::data {
namespace {

using Records = std::vector<std::vector<std::string>>;

Records lex(std::string_view text, char separator = ',') {
  CsvLexer lexer(text, separator, "file");
  Records records;
  std::string buffer;
  while (lexer.next()) {
    auto& record = records.emplace_back();
    for (const CsvField& field : lexer.fields()) record.emplace_back(field.value(buffer));
  }
  return records;
}

TEST(CsvLexer, SplitsAtEveryLineEnd) {
  const Records expected = {{"a", "b"}, {"c", ""}, {"", "d"}};
  EXPECT_EQ(lex("a,b\nc,\n,d\n"), expected);
  EXPECT_EQ(lex("a,b\r\nc,\r\n,d"), expected);
  EXPECT_EQ(lex("a,b\rc,\r,d\r"), expected);
}

TEST(CsvLexer, SkipsBlankLinesButCountsThem) {
  CsvLexer lexer("\n  \na,b\n\n\r\nc,d", ',', "file");
  ASSERT_TRUE(lexer.next());
  EXPECT_EQ(lexer.line(), 3U);
  EXPECT_EQ(lexer.original(), "a,b\n");
  ASSERT_TRUE(lexer.next());
  EXPECT_EQ(lexer.line(), 6U);
  EXPECT_EQ(lexer.original(), "c,d");
  EXPECT_FALSE(lexer.next());
}

TEST(CsvLexer, ReadsQuotedFields) {
  EXPECT_EQ(lex("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\n1,\"\",\"\"\"\"\n"),
            (Records{{"a,b", "say \"hi\"", "two\nlines"}, {"1", "", "\""}}));
  EXPECT_EQ(lex(" \"a\" , b , \" c \""), (Records{{"a", "b", " c "}}));
  EXPECT_EQ(lex("5\" pipe,x\"\"y"), (Records{{"5\" pipe", "x\"\"y"}}));
}

TEST(CsvLexer, CountsLinesInsideQuotes) {
  CsvLexer lexer("\"1\n2\r\n3\r4\",x\nlast,y\n", ',', "file");
  lexer.next();
  EXPECT_EQ(lexer.line(), 1U);
  lexer.next();
  EXPECT_EQ(lexer.line(), 5U);
}

TEST(CsvLexer, RejectsBadQuotes) {
  expect_error([] { lex("a,b\nc,\"d\n"); }, {"file, line 2", "field 2", "never closed"});
  expect_error([] { lex("a,b\n\"c\"d,e\n"); }, {"file, line 2", "follows the closing quote of field 1"});
}

TEST(CsvLexer, ReadsBackWhatIsQuoted) {
  const bool holds = rc::check("quoted fields survive", [] {
    const char separator = *rc::gen::element(',', ';', '\t');
    const auto character =
        rc::gen::oneOf(rc::gen::element('"', ',', ';', '\t', '\n', '\r', ' ', 'a'), rc::gen::inRange<char>(0x20, 0x7f));
    const auto width = *rc::gen::inRange<std::size_t>(2, 6);
    const auto records = *rc::gen::container<Records>(
        rc::gen::container<std::vector<std::string>>(width, rc::gen::container<std::string>(character)));
    std::string text;
    for (const auto& record : records) {
      for (std::size_t j = 0; j < width; ++j) {
        if (j > 0) text += separator;
        text += csv_quote(record[j], separator);
      }
      text += *rc::gen::element<std::string>("\n", "\r\n");
    }
    RC_ASSERT(lex(text, separator) == records);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace bilevel::data
