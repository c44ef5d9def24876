#include "data/hashed_words.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "bilevel/random.hpp"
#include "data/files.hpp"

namespace bilevel::data {
namespace {

constexpr std::size_t kBuckets = 16384;

using Row = std::map<std::size_t, double>;

Row row_of(std::string_view text, std::size_t buckets = kBuckets) {
  Table t;
  t.row_starts.push_back(0);
  HashedWords(buckets).append_row(text, t);
  EXPECT_EQ(t.row_starts, (std::vector<std::size_t>{0, t.values.size()}));
  EXPECT_EQ(t.columns.size(), t.values.size());
  EXPECT_TRUE(std::is_sorted(t.columns.begin(), t.columns.end()));
  Row row;
  for (std::size_t k = 0; k < t.columns.size(); ++k) row[t.columns[k]] = static_cast<double>(t.values[k]);
  EXPECT_EQ(row.size(), t.columns.size()) << "a bucket is stored twice";
  return row;
}

std::size_t words_in(std::string_view text) {
  Table t;
  return HashedWords(kBuckets).append_row(text, t);
}

// The row with the given weights before scaling.
Row scaled(const std::map<std::string, double>& weights, std::size_t buckets = kBuckets) {
  Row row;
  for (const auto& [word, weight] : weights) {
    const WordPlace place = word_place(word_hash(word), buckets);
    row[place.bucket] += place.sign * weight;
  }
  double squares = 0;
  for (const auto& [bucket, weight] : row) squares += weight * weight;
  for (auto& [bucket, weight] : row) weight /= std::sqrt(squares);
  return row;
}

void expect_near(const Row& row, const Row& expected) {
  constexpr double kSingle = 6e-8;  // values of at most 1 are rounded to float
  ASSERT_EQ(row.size(), expected.size());
  for (const auto& [bucket, value] : expected) {
    ASSERT_TRUE(row.contains(bucket)) << bucket;
    EXPECT_NEAR(row.at(bucket), value, kSingle) << bucket;
  }
}

// The published FNV-1a values of "a" and "foobar" are af63dc4c8601ec8c and 85944171f73967e8; finalized by hand.
TEST(HashedWords, TheHashIsTheSameEverywhere) {
  EXPECT_EQ(word_hash("a"), 0x82a2a958a9bece5bU);
  EXPECT_EQ(word_hash("foobar"), 0x2c22194922d1672bU);
  EXPECT_EQ(word_place(word_hash("lunch"), kBuckets).bucket, 2563U);
  EXPECT_EQ(word_place(word_hash("lunch"), kBuckets).sign, -1);
  EXPECT_EQ(word_place(word_hash("money"), 1000).bucket, 947U);
  EXPECT_EQ(word_place(word_hash("money"), 1000).sign, 1);
}

TEST(HashedWords, OneWordIsPlusOrMinusOne) {
  EXPECT_EQ(row_of("money"), (Row{{5395, 1}}));
  EXPECT_EQ(row_of("lunch"), (Row{{2563, -1}}));
}

TEST(HashedWords, CountsGrowLikeTheirLogarithm) {
  expect_near(row_of("money lunch money money"), scaled({{"money", 1 + std::log(3)}, {"lunch", 1}}));
}

TEST(HashedWords, WordsAreRunsOfLettersAndDigitsInLowerCase) {
  const auto expected = scaled({{"a", 1 + std::log(2)}, {"href", 1}, {"b2b", 1}, {"don", 1}, {"t", 1}});
  expect_near(row_of("<A href=\"B2B\">don't</a>"), expected);
  const std::string zeros("a\0href\0b2b\0don\0t\0a", 19);
  EXPECT_EQ(row_of(zeros), row_of("a href b2b don t a"));
}

TEST(HashedWords, HighBytesAreLetters) {
  EXPECT_EQ(row_of("M\xc3\xbcller"), scaled({{"m\xc3\xbcller", 1}}));
  EXPECT_EQ(row_of("M\xfcller"), scaled({{"m\xfcller", 1}}));
}

TEST(HashedWords, AllNumbersAreOneWord) {
  EXPECT_EQ(row_of("7"), row_of("2002"));
  expect_near(row_of("7 2002"), scaled({{"0", 1 + std::log(2)}}));
  EXPECT_EQ(row_of(std::string(50, '4')), row_of("1"));
  EXPECT_NE(row_of("mp3"), row_of("mp4"));
}

TEST(HashedWords, LongRunsAreNoWords) {
  EXPECT_EQ(words_in(std::string(30, 'x')), 1U);
  EXPECT_EQ(words_in(std::string(31, 'x')), 0U);
  EXPECT_EQ(row_of("money " + std::string(76, 'A') + "\n"), row_of("money"));
}

TEST(HashedWords, NoWordsNoValues) {
  EXPECT_EQ(words_in(""), 0U);
  EXPECT_TRUE(row_of(" .,-\n").empty());
}

TEST(HashedWords, WeightsInABucketAddUpAndMayCancel) {
  // With 16 buckets, "a" (sign -) and "foobar" (sign +) share bucket 11.
  EXPECT_TRUE(row_of("a foobar", 16).empty());
  expect_near(row_of("a foobar foobar money", 16), scaled({{"a", 1}, {"foobar", 1 + std::log(2)}, {"money", 1}}, 16));
}

TEST(HashedWords, TheOrderOfWordsChangesNoBit) {
  Random random(20240611);
  std::vector<std::string> words;
  for (int i = 0; i < 300; ++i) words.push_back(std::to_string(random.below(60)) + "w");
  const auto join = [&] {
    std::string text;
    for (const std::string& word : words) text += word + " ";
    return text;
  };
  const Row row = row_of(join(), 16);  // few buckets, so that many words share one
  std::reverse(words.begin(), words.end());
  EXPECT_EQ(row_of(join(), 16), row);
}

TEST(HashedWords, RandomBytesMakeRowsOfNormOne) {
  Random random(20240612);
  for (int trial = 0; trial < 500; ++trial) {
    std::string bytes(random.below(400), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    const Row row = row_of(without_mail_header(bytes), 17);
    double squares = 0;
    for (const auto& [bucket, value] : row) {
      EXPECT_LT(bucket, 17U);
      squares += value * value;
    }
    // At most 17 values, each rounded by at most 6e-8 of itself.
    EXPECT_NEAR(squares, row.empty() ? 0 : 1, 2e-7);
  }
}

// Half of the words are negative, and buckets fill evenly: the two properties that feature hashing rests on.
TEST(HashedWords, SignsAndBucketsAreBalanced) {
  constexpr int kWords = 20000;
  constexpr std::size_t kFew = 20;
  std::vector<int> words_of_bucket(kFew);
  int negative = 0;
  for (int i = 0; i < kWords; ++i) {
    const WordPlace place = word_place(word_hash("w" + std::to_string(i)), kFew);
    ++words_of_bucket[place.bucket];
    negative += place.sign < 0 ? 1 : 0;
  }
  EXPECT_NEAR(negative, kWords / 2, 5 * std::sqrt(kWords / 4.0));  // five standard deviations of fair coins
  for (const int words : words_of_bucket) EXPECT_NEAR(words, 1000, 5 * std::sqrt(1000.0));
}

TEST(MailHeader, EndsAtTheFirstEmptyLine) {
  EXPECT_EQ(without_mail_header("From a@b Mon\nTo: x\nSubject: y\n more\n\nhello\n\nyou"), "hello\n\nyou");
  EXPECT_EQ(without_mail_header("Date: x\r\nFrom: y\r\n\r\nhello"), "hello");
  EXPECT_EQ(without_mail_header("Date: x\nFrom: y\n\n"), "");
}

TEST(MailHeader, OtherTextsStayWhole) {
  for (const std::string_view text :
       {"hello\n\nyou", "Note: one line\n\nyou", "From here on:\n\nyou", "a: 1\nb: 2\nno empty line",
        "a: 1\nb\nc: 2\n\nyou", " a: 1\nb: 2\n\nyou", "From x\n\nyou", "one word: 1\nb: 2\n\nyou", ": 1\n: 2\n\nyou",
        "\n\na: 1\nb: 2\n\nyou", ""}) {
    EXPECT_EQ(without_mail_header(text), text);
  }
}

}  // namespace
}  // namespace bilevel::data
