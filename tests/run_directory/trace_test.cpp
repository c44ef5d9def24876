#include "bilevel/trace.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "bilevel/quadratic.hpp"
#include "bilevel/smbg.hpp"
#include "run_directory/temporary.hpp"

namespace {

using namespace bilevel;
using bilevel::testing::content_of;
using bilevel::testing::TemporaryDirectory;

/// min (y - 1)^2 / 2 over x with y = argmin (y - x)^2 / 2.
BilevelProblem tiny_problem() {
  const Eigen::MatrixXd one = Eigen::MatrixXd::Ones(1, 1);
  BilevelProblem problem;
  problem.name = "tiny";
  problem.upper = std::make_shared<Quadratic>("upper", 1, 1, QuadraticCoefficients{.yy = one, .y = -Vec::Ones(1)});
  problem.lower = std::make_shared<Quadratic>("lower", 1, 1, QuadraticCoefficients{.yy = one, .yx = -one});
  problem.x0 = problem.y0 = Vec::Zero(1);
  return problem;
}

/// Reads the file after each step, as somebody who looks at a run that is killed then.
class Reader final : public Observer {
 public:
  explicit Reader(std::filesystem::path file) : file_(std::move(file)) {}
  void on_step(const TraceRow& row, const OuterMethod::State&) override {
    const auto content = content_of(file_);
    ASSERT_FALSE(content.empty());
    EXPECT_EQ(content.back(), '\n');
    EXPECT_EQ(std::count(content.begin(), content.end(), '\n'), row.iteration);
  }

 private:
  std::filesystem::path file_;
};

TEST(Trace, HoldsEveryFinishedStepAtAnyTime) {
  const TemporaryDirectory temporary;
  const auto file = temporary.path() / "trace.jsonl";
  TraceWriter trace(file);
  Reader reader(file);
  const auto result = run(tiny_problem(), Smbg(), {.tolerance = 0, .max_iterations = 5}, {&trace, &reader});
  ASSERT_EQ(result.iterations, 5);

  std::istringstream lines(content_of(file));
  std::string line;
  for (const auto& row : result.trace) {
    ASSERT_TRUE(std::getline(lines, line));
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["iteration"], row.iteration);
    EXPECT_EQ(json["seconds"].get<double>(), row.seconds) << "all digits are written";
    EXPECT_EQ(json["upper"].get<double>(), row.report.upper);
    EXPECT_EQ(json["lower"].get<double>(), *row.report.lower);
    EXPECT_EQ(json["hypergradient_norm"].get<double>(), row.report.hypergradient_norm);
    EXPECT_EQ(json["lower_residual"].get<double>(), row.report.lower_residual);
    EXPECT_EQ(json["lower_calls"]["grad_y"], row.lower[Oracle::grad_y]);
    EXPECT_EQ(json["upper_calls"]["value"], row.upper[Oracle::value]);
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(Trace, WritesNullForWhatIsNotANumber) {
  const TemporaryDirectory temporary;
  const auto file = temporary.path() / "trace.jsonl";
  TraceRow row;
  row.report.upper = std::numeric_limits<double>::quiet_NaN();
  row.report.hypergradient_norm = std::numeric_limits<double>::infinity();
  TraceWriter(file).on_step(row, *Smbg().init(tiny_problem()));
  const auto json = nlohmann::json::parse(content_of(file));
  EXPECT_TRUE(json["upper"].is_null());
  EXPECT_TRUE(json["hypergradient_norm"].is_null());
  EXPECT_TRUE(json["lower"].is_null()) << "no value was given";
}

TEST(Trace, RefusesAPlaceThatCannotBeWritten) {
  const TemporaryDirectory temporary;
  EXPECT_THROW(TraceWriter(temporary.path() / "absent" / "trace.jsonl"), InvalidInput);
}

TEST(Trace, AFullDiskEndsTheFileWithAWholeLineAndCostsNoRun) {
  const TemporaryDirectory temporary;
  const auto file = temporary.path() / "trace.jsonl";
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};  // two or three lines
    setrlimit(RLIMIT_FSIZE, &limit);
    TraceWriter trace(file);
    const auto result = run(tiny_problem(), Smbg(), {.tolerance = 0, .max_iterations = 9}, {&trace});
    _exit(result.iterations == 9 && trace.problem().find("ends at step") != std::string::npos ? 7 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  const auto content = content_of(file);
  ASSERT_FALSE(content.empty());
  EXPECT_EQ(content.back(), '\n');
}

TEST(Trace, ALinkIsNotFollowed) {
  const TemporaryDirectory temporary;
  std::ofstream(temporary.path() / "mine") << "mine";
  std::filesystem::create_symlink(temporary.path() / "mine", temporary.path() / "trace.jsonl");
  EXPECT_THROW(TraceWriter(temporary.path() / "trace.jsonl"), InvalidInput);
  EXPECT_EQ(content_of(temporary.path() / "mine"), "mine");
}

}  // namespace
