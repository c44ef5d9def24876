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

TEST_F(Gzip, TrailingBytes) {
  const std::string whole = gzip("some text");
  expect_error([&] { decompress_gzip(whole + "abc", "f.gz", kEnough); },
               {"the gzip data ends at byte " + std::to_string(whole.size()) + ", but 3 bytes follow"});
}

}  // namespace
}  // namespace bilevel::data
