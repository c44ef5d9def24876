#include "terminal/table.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace bilevel::cli {
namespace {

TEST(Table, AlignsItsColumns) {
  Table table({{"rows"}, {"test error", Align::right}, {"note"}}, "Comparison");
  table.add_row({"as they are", "12.4 %", ""});
  table.add_row({"cleaned", "9.1 %", "best"});
  EXPECT_EQ(table.to_string(),
            "Comparison\n"
            "rows         test error  note\n"
            "-----------  ----------  ----\n"
            "as they are      12.4 %\n"
            "cleaned           9.1 %  best\n");
}

TEST(Table, CountsColumnsOfTheScreenNotBytes) {
  Table table({{"größe"}, {"n", Align::right}});
  table.add_row({"日本", "1"});
  table.add_row({"e\u0301t\u00e9", "22"});
  EXPECT_EQ(table.to_string(2),
            "  größe   n\n"
            "  -----  --\n"
            "  日本    1\n"
            "  e\u0301t\u00e9    22\n");
}

TEST(Table, KeepsARowOnItsLine) {
  Table table({{"label"}});
  EXPECT_TRUE(table.empty());
  table.add_row({"two\nlines\tand a tab"});
  EXPECT_EQ(table.to_string(), "label\n-------------------\ntwo lines and a tab\n");
}

TEST(Table, RefusesARowOfAnotherLength) {
  Table table({{"a"}, {"b"}});
  EXPECT_THROW(table.add_row({"1"}), std::logic_error);
}

}  // namespace
}  // namespace bilevel::cli
