#include "data/files.hpp"
#include "data/gzip_file.hpp"

namespace bilevel::data {
namespace {

using Gzip = DataTest;
constexpr std::size_t kEnough = 1 << 20;

TEST_F(Gzip, PlainAndCompressedFilesAreTheSame) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + ",";
  EXPECT_EQ(read_bytes(file("plain", text), kEnough), text);
  EXPECT_EQ(read_bytes(file("compressed", gzip(text)), kEnough), text);
}

TEST_F(Gzip, MembersAreJoined) { EXPECT_EQ(decompress_gzip(gzip("one ") + gzip("two"), "f", kEnough), "one two"); }

TEST_F(Gzip, HighlyCompressedContentFits) {
  const std::string zeros(500000, 'a');
  EXPECT_EQ(decompress_gzip(gzip(zeros), "f", kEnough), zeros);
}

TEST_F(Gzip, TheLimitIsExact) {
  EXPECT_EQ(decompress_gzip(gzip("12345"), "f", 5), "12345");
  expect_error([] { decompress_gzip(gzip("123456"), "f", 5); }, {"f: decompresses to more than the allowed 5 bytes"});
}

TEST_F(Gzip, CsvAndLibsvmMayBeCompressed) {
  EXPECT_EQ(read_table(file("a.csv.gz", gzip("x,label\n1,a\n2,b\n"))).rows, 2U);
  EXPECT_TRUE(read_table(file("a.libsvm.gz", gzip("1 1:2\n-1 2:3\n"))).sparse);
}

TEST_F(Gzip, TruncatedData) {
  const std::string whole = gzip("some text that is long enough to be cut");
  for (std::size_t length = 2; length < whole.size(); ++length) {
    expect_error([&] { decompress_gzip(whole.substr(0, length), "f.gz", kEnough); },
                 {"f.gz: the gzip data breaks off after " + std::to_string(length) + " bytes"});
  }
}

TEST_F(Gzip, WrongChecksum) {
  std::string bytes = gzip("some text");
  bytes[bytes.size() - 6] ^= 1;
  expect_error([&] { decompress_gzip(bytes, "f.gz", kEnough); }, {"damaged gzip data", "incorrect data check"});
}

TEST_F(Gzip, DamagedHeader) {
  std::string bytes = gzip("some text");
  bytes[2] = 7;
  expect_error([&] { decompress_gzip(bytes, "f.gz", kEnough); }, {"damaged gzip data", "unknown compression method"});
}

// 64 MB of zeros from 64 kB: what is decompressed of it before it is refused shows in the peak of memory, which
// tests/end_to_end limits; here the limit of the size is what would be hit later.
TEST_F(Gzip, WhatIsNeitherIdxNorTextIsRefusedAtItsFirstBlock) {
  const auto zeros = file("zeros.gz", gzip(std::string(64 << 20, '\0')));
  expect_error([&] { read_bytes(zeros, 8 << 20); },
               {"zeros.gz: has a zero byte at position 1, so it is not text; expected IDX data, or text"});
  std::string late(3 << 20, 'a');
  late[(2 << 20) + 5] = '\0';
  late += std::string(64 << 20, 'a');
  expect_error([&] { read_bytes(file("late.gz", gzip(late)), 8 << 20); }, {"has a zero byte at position 2097158"});
}

TEST_F(Gzip, AnIdxHeaderThatPromisesOtherThanFollowsEndsTheReading) {
  const auto header = idx(8, {60000, 1000, 1000}, {});
  expect_error([&] { read_bytes(file("huge.gz", gzip(header + std::string(1 << 20, '\0'))), kEnough); },
               {"the header promises 60000000016 bytes, more than the allowed 1048576"});
  const auto small = idx(8, {10, 10}, {});
  expect_error([&] { read_bytes(file("long.gz", gzip(small + std::string(64 << 20, '\0'))), 8 << 20); },
               {"the header promises 112 bytes, but more than"});
}

TEST_F(Gzip, TheBeginningOfAFileIsReadWithoutTheRest) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i) + ",";
  EXPECT_EQ(read_beginning(file("plain", text), 1000), text.substr(0, 1000));
  const auto beginning = read_beginning(file("packed", gzip(text)), 1000);
  EXPECT_EQ(beginning, text.substr(0, beginning.size()));
  EXPECT_GT(beginning.size(), 100U);
  EXPECT_EQ(read_beginning(file("short", gzip("a,b")), 1000), "a,b");
  EXPECT_EQ(read_beginning(file("damaged", gzip(text).substr(0, 5)), 1000), "");
  expect_error([&] { read_beginning(path("none"), 10); }, {"no such file"});
}

TEST_F(Gzip, TrailingBytes) {
  const std::string whole = gzip("some text");
  expect_error([&] { decompress_gzip(whole + "abc", "f.gz", kEnough); },
               {"the gzip data ends at byte " + std::to_string(whole.size()) + ", but 3 bytes follow"});
}

}  // namespace
}  // namespace bilevel::data
