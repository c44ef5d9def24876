// `bilevel check` where nothing is wrong with a derivative: at a kink, and where the start has no value.
#include "end_to_end/program.hpp"

namespace bilevel::end_to_end {
namespace {

class Check : public EndToEnd {
 protected:
  Ended check(std::string_view upper, std::string_view lower) const {
    write("game.toml", std::string("[problem]\nupper = \"") + std::string(upper) + "\"\nlower = \"" +
                           std::string(lower) + "\"\n[start]\nx = 0.5\ny = 0.2\n");
    return bilevel({"check", "game.toml"});
  }
};

TEST_F(Check, AtAKinkSaysSo) {
  const auto ended = check("(x - 1)^2 + abs(y - 0.2)", "(y - x)^2");
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.out.find("kink: grad_y: Taylor slope of value: value has a kink here"), std::string::npos)
      << ended.out;
  EXPECT_NE(
      ended.err.find("bilevel: f has a kink near the start, where derivatives prove nothing: abs(y - 0.2) at column "
                     "13, "),
      std::string::npos)
      << ended.err;
  EXPECT_EQ(ended.out.find("WRONG"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.err.find("a derivative is wrong"), std::string::npos) << ended.err;
}

TEST_F(Check, NamesTheOperationThatHasNoValueAtTheStart) {
  const auto of_g = check("(x - 1)^2 + y^2", "x*log(y - 5)");
  EXPECT_EQ(of_g.code, 1);
  EXPECT_EQ(of_g.err, "bilevel: g is not a number at the start: log(y - 5) at column 3 has the argument -4.8\n");
  const auto of_f = check("1/(y - 0.2)", "(y - x)^2");
  EXPECT_EQ(of_f.err, "bilevel: f is infinite at the start: the divisor y - 0.2 at column 4 is 0\n");
  const auto of_slope = check("x*y", "(y - x)^2 + sqrt(y - 0.2)");
  EXPECT_EQ(
      of_slope.err,
      "bilevel: g has no finite derivative at the start: sqrt(y - 0.2) at column 13 has the argument 0, where the "
      "derivative is infinite\n");
}

}  // namespace
}  // namespace bilevel::end_to_end
