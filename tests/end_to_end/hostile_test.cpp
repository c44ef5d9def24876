// Small files that would cost gigabytes, minutes or the stack, read by a program whose memory is limited.
#include <fmt/format.h>
#include <zlib.h>

#include "end_to_end/program.hpp"

namespace bilevel::end_to_end {
namespace {

/// Reads and starts, and little more.
const Words kShort{"--out",
                   "o",
                   "--overwrite",
                   "--max-iterations",
                   "1",
                   "--inner-steps",
                   "1",
                   "--no-comparators",
                   "--no-certificate",
                   "--regularization",
                   "1e-3",
                   "--threads",
                   "1"};

class Hostile : public EndToEnd {
 protected:
  /// Cleans with at most so much memory: must succeed. The JSON object.
  Json clean_within(std::size_t megabytes, Words arguments) const {
    arguments.insert(arguments.begin(), {"clean", "--json", "--quiet"});
    arguments.insert(arguments.end(), kShort.begin(), kShort.end());
    const auto ended = bilevel_within(megabytes, arguments);
    EXPECT_EQ(ended.code, 0) << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }

  /// Must be refused with code 2 in one short sentence that holds `part`.
  void refused_within(std::size_t megabytes, const Words& arguments, const std::string& part) const {
    const auto ended = bilevel_within(megabytes, arguments);
    EXPECT_EQ(ended.code, 2) << ended.out << ended.err;
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    EXPECT_LT(ended.err.size(), 700U) << ended.err;
  }

  std::string gzip(std::size_t bytes, char content) const {
    const auto target = path("packed.gz");
    const gzFile file = gzopen(target.c_str(), "wb1");
    const std::string block(1 << 20, content);
    for (std::size_t done = 0; done < bytes; done += block.size()) {
      gzwrite(file, block.data(), static_cast<unsigned>(block.size()));
    }
    gzclose(file);
    return "packed.gz";
  }
};

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

// A vector of a hundred million doubles is 800 MB.
TEST_F(Hostile, ALibsvmIndexOfAHundredMillion) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += fmt::format("{} {}:1 {}:0.5\n", i % 2, 1 + i % 7, 100'000'000 - 3 * (i % 5));
  write("a.svm", text);
  const auto json = clean_within(200, {"--train", "a.svm"});
  EXPECT_EQ(json["rows"]["features"], 12);
  EXPECT_NE(json["notes"].dump().find("of the columns 1 to 100000000 only 12 hold values"), std::string::npos);
}

TEST_F(Hostile, SixtyLibsvmRowsOfAMillionColumns) {
  std::string text, valid;
  for (int i = 0; i < 60; ++i) {
    text += fmt::format("{}", i % 2);
    valid += fmt::format("{}", i % 2);
    for (int k = 0; k < 10; ++k) text += fmt::format(" {}:1", 1 + 1000 * i + 90'000 * k);
    valid += fmt::format(" {}:1 {}:1\n", 1 + 1000 * i, 2 + 1000 * i);  // the second holds nothing in training
    text += '\n';
  }
  write("a.svm", text);
  write("v.svm", valid);
  const auto json = clean_within(200, {"--train", "a.svm", "--valid", "v.svm", "--test", "v.svm"});
  EXPECT_LE(json["rows"]["features"], 600);
  EXPECT_NE(json["notes"].dump().find("trusted rows: 60 values in columns that hold nothing"), std::string::npos)
      << json["notes"];
}

// Dense, these are 20000 x 8001 numbers: 640 MB.
TEST_F(Hostile, EightThousandCategories) {
  std::string text = "a,word,label\n";
  for (int i = 0; i < 20'000; ++i) text += fmt::format("{},w{},{}\n", i % 10, i * 7919 % 8000, i % 2);
  write("a.csv", text);
  const auto json = clean_within(250, {"--train", "a.csv"});
  EXPECT_EQ(json["rows"]["features"], 8001);
}

TEST_F(Hostile, AModelThatNoMachineHoldsIsRefusedBeforeItIsAllocated) {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += fmt::format("{}", i % 1000);
    for (int k = 0; k < 40; ++k) text += fmt::format(" {}:1", 1 + 40 * i + k);
    text += '\n';
  }
  write("a.svm", text);
  refused_within(250, {"clean", "--train", "a.svm", "--out", "refused"},
                 "80000 features and 1000 classes make a model of 8e+07 numbers");
}

TEST_F(Hostile, CompressedZerosAreRefusedAtOnce) {
  const auto packed = gzip(std::size_t{1} << 28, '\0');
  refused_within(100, {"clean", "--train", packed, "--out", "refused"}, "has a zero byte at position 1");
  refused_within(100, {"tune", "--train", packed, "--out", "refused"}, "has a zero byte at position 1");
}

TEST_F(Hostile, WideCsvAndAbsurdLabels) {
  std::string header, row;
  for (int j = 0; j < 100'000; ++j) {
    header += fmt::format("n{},", j);
    row += fmt::format("{},", j % 7);
  }
  write("wide.csv", header + "label\n" + row + "x\n" + row + "y\n" + row + "x\n" + row + "y\n");
  clean_within(400, {"--train", "wide.csv", "--valid", "wide.csv"});
  write("a.csv", "n,label\n1,x\n2,y\n3,x\n4,y\n");
  write("absurd.csv", "n,label\n1," + std::string(300'000, 'x') + "\n");
  refused_within(100, {"clean", "--train", "a.csv", "--valid", "absurd.csv", "--out", "refused"},
                 "does not occur in the training data");
}

TEST_F(Hostile, AbsurdNestingOfGamesAndOptions) {
  const auto keys = repeated("a.", 40'000) + "a = 1\n";
  for (const std::string& absurd :
       {keys, "[" + repeated("a.", 40'000) + "a]\n", "x = " + repeated("[", 90'000),
        "x = " + repeated("{a.b.c = ", 10'000), "# ' \"\"\" '''\n" + keys, "x = '''\n\"\n'''\n" + keys}) {
    write("g.toml", absurd);
    refused_within(100, {"solve", "g.toml", "--out", "refused"}, "nested more than 64 levels deep");
    write("c.toml", absurd);
    refused_within(100, {"clean", "--train", "a.csv", "--config", "c.toml", "--out", "refused"},
                   "nested more than 64 levels deep");
  }
}

TEST_F(Hostile, NumbersThatSizeSomethingHaveARange) {
  write("a.csv", "n,label\n1,x\n2,y\n3,x\n4,y\n");
  for (const char* option : {"--inner-steps", "--max-inner-steps", "--truncated-steps", "--cg-iterations"}) {
    refused_within(100, {"clean", "--train", "a.csv", option, "9223372036854775807", "--out", "refused"}, "1000000");
  }
}

}  // namespace
}  // namespace bilevel::end_to_end
