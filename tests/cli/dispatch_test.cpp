// The program's first word, and what a failure becomes.
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>

#include "bilevel/status.hpp"
#include "command.hpp"

namespace bilevel::cli {
namespace {

struct Outcome {
  int code;
  std::string out;
  std::string error;
};

Outcome run(const std::vector<std::string>& arguments) {
  const std::vector<Command> commands{
      {"clean", "finds mislabelled rows", [](const std::vector<std::string>& a) { return static_cast<int>(a.size()); }},
      {"refuse", "", [](const std::vector<std::string>&) -> int { throw InvalidInput("rows.csv:3: no label"); }},
      {"exhaust", "", [](const std::vector<std::string>&) -> int { throw std::bad_alloc(); }},
      {"fail", "", [](const std::vector<std::string>&) -> int { throw std::runtime_error("a surprise"); }},
      {"fill", "",
       [](const std::vector<std::string>&) -> int {
         throw std::system_error(std::make_error_code(std::errc::no_space_on_device), "cannot write rows.csv");
       }},
      {"throw-int", "", [](const std::vector<std::string>&) -> int { throw 3; }},
  };
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Outcome outcome{};
  outcome.code = dispatch(commands, arguments);
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.error = ::testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(Dispatch, CommandsGetWhatFollowsTheirName) {
  EXPECT_EQ(run({"clean"}).code, 0);
  EXPECT_EQ(run({"clean", "a", "b", "c"}).code, 3);
  EXPECT_EQ(run({"help", "clean"}).code, 1);  // run with the one word --help
}

TEST(Dispatch, Overview) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{}, {"help"}, {"--help"}, {"-h"}}) {
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.code, kSuccess);
    EXPECT_NE(outcome.out.find("  clean      finds mislabelled rows\n"), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.error, "");
  }
}

TEST(Dispatch, Version) {
  const auto outcome = run({"--version"});
  EXPECT_EQ(outcome.code, kSuccess);
  EXPECT_EQ(outcome.out, "bilevel " BILEVEL_EXPECTED_VERSION "\n");
}

TEST(Dispatch, UnknownWordsOfferTheNearest) {
  const auto outcome = run({"claen", "--train", "x"});
  EXPECT_EQ(outcome.code, kBadInput);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.error, "bilevel: unknown command 'claen'; did you mean 'clean'?\n");
  EXPECT_EQ(run({"help", "claen"}).error, outcome.error);
  EXPECT_EQ(run({"--verison"}).error, "bilevel: unknown option '--verison'; did you mean '--version'?\n");
  EXPECT_EQ(run({"differentiate"}).error, "bilevel: unknown command 'differentiate'; `bilevel --help` lists all\n");
  EXPECT_EQ(run({"--version", "now"}).error, "bilevel: unexpected argument 'now' after '--version'\n");
}

TEST(Dispatch, FailuresAreOneSentence) {
  EXPECT_EQ(run({"refuse"}).code, kBadInput);
  EXPECT_EQ(run({"refuse"}).error, "bilevel: rows.csv:3: no label\n");
  EXPECT_EQ(run({"exhaust"}).code, kNoSuccess);
  EXPECT_EQ(run({"exhaust"}).error, "bilevel: there is not enough memory for this problem\n");
  EXPECT_EQ(run({"fail"}).code, kNoSuccess);
  EXPECT_EQ(run({"fail"}).error, "bilevel: stopped by an unexpected failure: a surprise\n");
  EXPECT_EQ(run({"fill"}).code, kNoSuccess);
  EXPECT_EQ(run({"fill"}).error, "bilevel: cannot write rows.csv: No space left on device\n");
  EXPECT_EQ(run({"throw-int"}).code, kNoSuccess);
}

}  // namespace
}  // namespace bilevel::cli
