#include "terminal/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace bilevel::cli {
namespace {

TEST(Duration, ReadsAsPeopleSayIt) {
  EXPECT_EQ(format_duration(0), "0.0 ms");
  EXPECT_EQ(format_duration(0.0034), "3.4 ms");
  EXPECT_EQ(format_duration(0.42), "0.42 s");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(125), "2 min 05 s");
  EXPECT_EQ(format_duration(3900), "1 h 05 min");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(format_duration(1e300), "ages");
}

TEST(Duration, RoundingNeverFillsAUnit) {
  EXPECT_EQ(format_duration(0.0999), "0.10 s");
  EXPECT_EQ(format_duration(9.996), "10.0 s");
  EXPECT_EQ(format_duration(59.96), "1 min 00 s");
  EXPECT_EQ(format_duration(119.7), "2 min 00 s");
  EXPECT_EQ(format_duration(3599.6), "1 h 00 min");
  EXPECT_EQ(format_duration(7199), "2 h 00 min");
}

TEST(Count, GroupsThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(20000), "20,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-123), "-123");
  EXPECT_EQ(format_count(-1234), "-1,234");
  EXPECT_EQ(format_count(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(Count, KnowsOneFromMany) {
  EXPECT_EQ(format_count(1, "row"), "1 row");
  EXPECT_EQ(format_count(0, "row"), "0 rows");
  EXPECT_EQ(format_count(2000, "class", "classes"), "2,000 classes");
}

TEST(Width, CountsColumns) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("größe"), 5U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("\x1b[31mred\x1b[0m"), 3U);
  EXPECT_EQ(display_width("\xff\xc3"), 2U);  // no UTF-8: one column a byte
}

TEST(Width, Cuts) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 4), "abc…");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");  // a wide sign is not halved
  EXPECT_EQ(cut_to_width("abc", 0), "");
  EXPECT_EQ(cut_to_width("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mab…\x1b[0m");  // the colour ends with the cut
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(wrap_text("one two three four", 9), "one two\nthree\nfour");
  EXPECT_EQ(wrap_text("one  two ", 20), "one two");
  EXPECT_EQ(wrap_text("a\n\nb", 20), "a\n\nb");
  EXPECT_EQ(wrap_text("averylongword and", 5), "averylongword\nand");
  EXPECT_EQ(wrap_text("größe größe", 11), "größe größe");
  EXPECT_EQ(wrap_text("", 5), "");
}

TEST(Wrap, IndentsTheLinesAfterTheFirst) {
  EXPECT_EQ(wrap_text("one two three", 9, 4), "one\n    two\n    three");
  EXPECT_EQ(wrap_text("one\ntwo", 20, 2), "one\n  two");
}

TEST(TimeLeft, FollowsThePace) {
  EXPECT_EQ(time_left(0.25, 10), 30.0);
  EXPECT_EQ(time_left(1, 10), 0.0);
  EXPECT_EQ(time_left(2, 10), 0.0);
  EXPECT_FALSE(time_left(0, 10).has_value());
  EXPECT_FALSE(time_left(0.5, 0.1).has_value());
  EXPECT_FALSE(time_left(std::numeric_limits<double>::quiet_NaN(), 10).has_value());
  EXPECT_EQ(time_left_text(0.25, 10), "about 30 s left");
  EXPECT_EQ(time_left_text(0.5, 125), "about 2 min 05 s left");
  EXPECT_EQ(time_left_text(0, 10), "");
}

}  // namespace
}  // namespace bilevel::cli
