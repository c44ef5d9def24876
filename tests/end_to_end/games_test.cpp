// solve, inspect and check as a user meets them: tables, JSON, exit codes, and sentences about files that cannot be
// used.
#include <cmath>

#include "end_to_end/program.hpp"

namespace bilevel::end_to_end {
namespace {

constexpr std::string_view kTwoWells = R"toml([problem]
name  = "two wells"
upper = "(x - 0.3)^2 + (y - 0.1)^2"
lower = "huber(y^2 - 1 - 0.2*x)"

[start]
x = [0.5]
y = [1.2]

[box]
x = [[-1, 1]]
y = [[-2, 2]]
)toml";

/// y = +-sqrt(1 + 0.2 x), so f on the upper branch is (x - 0.3)^2 + (sqrt(1 + 0.2 x) - 0.1)^2.
double leader_slope(double x, double sign) {
  const double y = sign * std::sqrt(1 + 0.2 * x);
  return 2 * (x - 0.3) + 2 * (y - 0.1) * 0.1 / y;
}

class Games : public EndToEnd {
 protected:
  Games() { write("game.toml", kTwoWells); }

  Json json_of(Words words, int code = 0) const {
    words.push_back("--json");
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, code) << ended.err;
    return Json::parse(ended.out, nullptr, false);
  }
  void expect_refused(const std::string& content, const std::vector<std::string>& parts) const {
    write("bad.toml", content);
    for (const auto* command : {"solve", "inspect", "check"}) {
      const auto ended = bilevel({command, "bad.toml"});
      EXPECT_EQ(ended.code, 2) << ended.out << ended.err;
      EXPECT_EQ(ended.out, "");
      for (const auto& part : parts) EXPECT_NE(ended.err.find(part), std::string::npos) << part << " in: " << ended.err;
    }
  }
};

TEST_F(Games, SolveIsRightAndCertified) {
  const auto result = json_of({"solve", "game.toml"});
  const double x = result.at("x").at(0), y = result.at("y").at(0);
  EXPECT_NEAR(y, std::sqrt(1 + 0.2 * x), 1e-6);
  EXPECT_NEAR(leader_slope(x, 1), 0, 1e-6);
  EXPECT_NEAR(result.at("upper"), (x - 0.3) * (x - 0.3) + (y - 0.1) * (y - 0.1), 1e-12);
  EXPECT_EQ(result.at("status"), "converged");
  EXPECT_GT(result.at("iterations"), 0);
  EXPECT_GT(result.at("oracle_calls").at("lower").at("grad_y"), 0);
  const auto& certificate = result.at("certificate");
  EXPECT_EQ(certificate.at("verdict"), "certified local bilevel solution");
  EXPECT_EQ(certificate.at("follower"), "local minimiser");
  EXPECT_EQ(certificate.at("kernel_dimension"), 0);
  EXPECT_EQ(certificate.at("fake"), false);
  for (const auto* key : {"follower_residual", "smallest_eigenvalue", "adjoint_residual", "selection_residual",
                          "leader_residual", "leader_residual_error", "advice"}) {
    EXPECT_TRUE(certificate.contains(key)) << key;
  }
}

TEST_F(Games, SolveTellsAPerson) {
  const auto ended = bilevel({"solve", "game.toml"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const auto* part : {"two wells", "upper f = (x - 0.3)^2", "Chosen automatically",
                           "certified local bilevel solution", "converged after", "oracle calls"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " in: " << ended.out;
  }
  EXPECT_EQ(listing("runs"), "none");
}

TEST_F(Games, SolveGloballyReturnsTheBestBranch) {
  const auto result = json_of({"solve", "game.toml", "--global"});
  // (y - 0.1)^2 is smaller on the upper branch, y > 0
  EXPECT_GT(result.at("y").at(0), 0.9);
  EXPECT_NEAR(leader_slope(result.at("x").at(0), 1), 0, 1e-7);
  const auto& solutions = result.at("global").at("solutions");
  ASSERT_EQ(solutions.size(), 2u);
  EXPECT_NEAR(leader_slope(solutions.at(1).at("x").at(0), -1), 0, 1e-7);
  // The follower is indifferent everywhere: both its minima have g = 0.
  EXPECT_NEAR(solutions.at(0).at("optimistic"), solutions.at(0).at("upper"), 1e-9);
  EXPECT_GT(solutions.at(0).at("pessimistic"), solutions.at(0).at("optimistic"));
  EXPECT_EQ(result.at("branches").at("branches").size(), 3u);  // two of minimisers, the maximiser between
}

TEST_F(Games, DpbgIsCalledFakeWhereItForgetsTheFollower) {
  const auto ended = bilevel({"solve", "game.toml", "--method", "dpbg", "--inner-steps", "3", "--json"});
  const auto result = Json::parse(ended.out);
  EXPECT_EQ(result.at("method"), "dpbg");
  EXPECT_TRUE(result.at("findings").contains("pseudo_stable_steps"));
  EXPECT_EQ(ended.code, result.at("certificate").at("verdict") == "certified local bilevel solution" ? 0 : 1);
}

TEST_F(Games, FilesOfARun) {
  EXPECT_EQ(bilevel({"solve", "game.toml", "--out", "o", "--quiet"}).code, 0);
  EXPECT_EQ(listing("o"), "config.toml result.json trace.jsonl");
  const auto first = content("o/result.json");
  EXPECT_EQ(bilevel({"solve", "game.toml", "--config", "o/config.toml", "--out", "p", "--json"}).code, 0);
  EXPECT_EQ(Json::parse(content("p/result.json")).at("x"), Json::parse(first).at("x"));
  EXPECT_EQ(bilevel({"solve", "game.toml", "--out", "o"}).code, 2);  // not empty
  EXPECT_NE(content("o/config.toml").find("method = \"newton\""), std::string::npos) << "what was used, not auto";
  // A method's own options alone, so that the file can be used again.
  bilevel({"solve", "game.toml", "--method", "dpbg", "--max-iterations", "5", "--out", "d", "--quiet"});
  EXPECT_EQ(content("d/config.toml").find("hypergradient ="), std::string::npos);
  const auto again =
      Json::parse(bilevel({"solve", "game.toml", "--config", "d/config.toml", "--out", "e", "--json"}).out);
  EXPECT_EQ(again.at("method"), "dpbg");
  EXPECT_EQ(again.at("x"), Json::parse(content("d/result.json")).at("x"));
}

TEST_F(Games, SettingsInTheFileStandBelowTheCommandLine) {
  write("set.toml", std::string(kTwoWells) + "[solve]\nmethod = \"dpbg\"\ninner-steps = 4\nmax-iterations = 5\n");
  auto used = Json::parse(bilevel({"solve", "set.toml", "--json"}).out);
  EXPECT_EQ(used.at("method"), "dpbg");
  EXPECT_EQ(used.at("iterations"), 5);
  used = Json::parse(bilevel({"solve", "set.toml", "--method", "smbg", "--max-iterations", "7", "--json"}).out);
  EXPECT_EQ(used.at("method"), "smbg");
  EXPECT_LE(used.at("iterations"), 7);
  // The file's inner-steps are for its own method; another one that has none is not refused for them.
  const auto other = bilevel({"solve", "set.toml", "--method", "bgs_opt", "--json"});
  EXPECT_EQ(Json::parse(other.out).at("method"), "bgs_opt") << other.err;
  write("set.toml", std::string(kTwoWells) + "[solve]\nmetod = \"dpbg\"\n");
  const auto refused = bilevel({"solve", "set.toml"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("'method'"), std::string::npos) << refused.err;
}

TEST_F(Games, OptionsOfAnotherMethodAreRefused) {
  const auto ended = bilevel({"solve", "game.toml", "--method", "dpbg", "--hypergradient", "implicit"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.err.find("does not apply to method dpbg"), std::string::npos) << ended.err;
}

TEST_F(Games, InspectShowsTheFollower) {
  const auto found = json_of({"inspect", "game.toml"});
  EXPECT_EQ(found.at("critical_points").at("points").size(), 3u);
  EXPECT_EQ(found.at("critical_points").at("exhaustive"), true);
  EXPECT_EQ(found.at("branches").at("branches").size(), 3u);
  EXPECT_EQ(found.at("morse").at("verdict"), "holds on the samples");
  EXPECT_EQ(found.at("recommendation").at("method"), "newton");
  EXPECT_EQ(found.at("recommendation").at("several_minimisers"), true);
  const auto ended = bilevel({"inspect", "game.toml"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const auto* part :
       {"Critical points", "minimiser", "Branches", "Parametric Morse", "Recommended: bilevel solve"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " in: " << ended.out;
  }
}

TEST_F(Games, InspectAtAnotherLeaderAndLine) {
  const auto found = json_of({"inspect", "game.toml", "--at", "-0.5", "--from", "-0.5", "--to", "0"});
  EXPECT_EQ(found.at("at").at(0), -0.5);
  EXPECT_EQ(found.at("branches").at("to").at(0), 0);
  EXPECT_EQ(bilevel({"inspect", "game.toml", "--at", "1,2"}).code, 2);
  EXPECT_EQ(bilevel({"inspect", "game.toml", "--at", "one"}).code, 2);
}

TEST_F(Games, CheckPassesAndIsPrintedLineByLine) {
  const auto ended = bilevel({"check", "game.toml"});
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("all checks passed"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("hess_xy"), std::string::npos) << ended.out;
  EXPECT_EQ(json_of({"check", "game.toml"}).at("passed"), true);
}

TEST_F(Games, PicturesOfEveryKind) {
  const auto begins_like_png = [&](const std::string& name) { return content(name).substr(1, 3) == "PNG"; };
  EXPECT_EQ(bilevel({"solve", "game.toml", "--plot", "a.png"}).code, 0);
  EXPECT_TRUE(begins_like_png("a.png"));
  EXPECT_EQ(bilevel({"solve", "game.toml", "--plot", "b.png", "--picture", "run"}).code, 0);
  EXPECT_TRUE(begins_like_png("b.png"));
  EXPECT_EQ(bilevel({"solve", "game.toml", "--global", "--plot", "c.svg"}).code, 0);
  EXPECT_NE(content("c.svg").find("<svg"), std::string::npos);
  bilevel({"solve", "game.toml", "--method", "dpbg", "--max-iterations", "50", "--plot", "d.png"});
  EXPECT_TRUE(begins_like_png("d.png"));
  EXPECT_EQ(bilevel({"inspect", "game.toml", "--plot", "e.png"}).code, 0);
  EXPECT_TRUE(begins_like_png("e.png"));
  for (const auto* command : {"solve", "inspect"}) {
    const auto refused = bilevel({command, "game.toml", "--plot", "a.pdf"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.err.find(".png"), std::string::npos) << refused.err;
    EXPECT_EQ(refused.out, "");
  }
  EXPECT_EQ(bilevel({"solve", "game.toml", "--plot", "a.png", "--picture", "value"}).code, 2);  // smbg has no phi^k(z)
}

TEST_F(Games, APerturbationMakesThePitchforkAFold) {
  write("fork.toml",
        "[problem]\nupper = \"(x - 0.5)^2 + (y - 1)^2\"\nlower = \"(x - y^2)^2\"\n[start]\nx = [0.9]\n"
        "y = [1]\n[box]\nx = [[-1, 1.5]]\ny = [[-1.5, 1.5]]\n");
  const auto kinds = [&](const Words& words) {
    std::string all;
    const auto found = json_of(words);
    for (const auto& event : found.at("branches").at("events")) all += event.at("kind").get<std::string>() + " ";
    return all;
  };
  EXPECT_EQ(kinds({"inspect", "fork.toml"}), "pitchfork ");
  EXPECT_EQ(kinds({"inspect", "fork.toml", "--perturb", "0.05"}), "fold ");
  const auto told = bilevel({"inspect", "fork.toml", "--perturb", "0.05", "--seed", "3"});
  EXPECT_NE(told.out.find("seed 3"), std::string::npos) << told.out;
}

TEST_F(Games, FilesThatCannotBeUsed) {
  expect_refused("", {"bad.toml"});
  expect_refused("[problem]\nupper = \"x + (y\"\nlower = \"(y - x)^2\"\n[start]\nx = [0]\ny = [0]\n",
                 {"bad.toml:2:14", "never closed"});
  expect_refused("[problem]\nupper = \"x + z\"\nlower = \"(y - x)^2\"\n[start]\nx = [0]\ny = [0]\n",
                 {"bad.toml:2:14", "'z'"});
  expect_refused("[problem]\nupper = \"x2\"\nlower = \"(y - x)^2\"\n[start]\nx = [0]\ny = [0]\n", {"bad.toml"});
  expect_refused("[problem]\nuper = \"x\"\nlower = \"(y - x)^2\"\n[start]\nx = [0]\ny = [0]\n", {"'uper'", "'upper'"});
  expect_refused("[problem]\nupper = \"x\"\nlower = \"(y - x)^2\"\n", {"start"});
  for (const auto* command : {"solve", "inspect", "check"}) {
    EXPECT_EQ(bilevel({command, "missing.toml"}).code, 2);
    EXPECT_EQ(bilevel({command}).code, 2);
    EXPECT_EQ(bilevel({command, "."}).code, 2);
  }
}

TEST_F(Games, FollowersWithoutAnAnswerEndHonestly) {
  write("none.toml", "[problem]\nupper = \"x^2 + y^2\"\nlower = \"y + x\"\n[start]\nx = [1]\ny = [1]\n");
  const auto ended = bilevel({"solve", "none.toml", "--json", "--max-iterations", "50"});
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_NE(Json::parse(ended.out).at("certificate").at("verdict"), "certified local bilevel solution");
  write("nan.toml", "[problem]\nupper = \"log(x) + y^2\"\nlower = \"(y - x)^2\"\n[start]\nx = [-1]\ny = [1]\n");
  const auto undefined = bilevel({"solve", "nan.toml"});
  EXPECT_NE(undefined.code, 0);
  EXPECT_NE(undefined.err.find("not finite"), std::string::npos) << undefined.err;
  EXPECT_EQ(bilevel({"inspect", "none.toml"}).code, 0);
}

}  // namespace
}  // namespace bilevel::end_to_end
