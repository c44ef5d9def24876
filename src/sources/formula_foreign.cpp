// Names that people bring along from other languages.
#include <algorithm>
#include <array>

#include "sources/formula_names.hpp"

namespace bilevel {

namespace {

constexpr std::string_view kFlat =
    "its derivative is zero wherever it has one, so that no gradient could tell the leader where to move";
constexpr std::string_view kJumps = "it jumps, and its derivative says nothing of the jumps";

struct Foreign {
  std::string_view name, instead;
};
constexpr auto kForeign = std::to_array<Foreign>({
    {"sign", kFlat},
    {"signum", kFlat},
    {"sgn", kFlat},
    {"ceil", kFlat},
    {"ceiling", kFlat},
    {"floor", kFlat},
    {"round", kFlat},
    {"rint", kFlat},
    {"trunc", kFlat},
    {"fix", kFlat},
    {"int", kFlat},
    {"step", kFlat},
    {"heaviside", kFlat},
    {"mod", kJumps},
    {"fmod", kJumps},
    {"rem", kJumps},
    {"remainder", kJumps},
    {"ln", "the natural logarithm is log(a)"},
    {"lg", "write log10(a) or log2(a)"},
    {"lb", "the logarithm to base 2 is log2(a)"},
    {"ld", "the logarithm to base 2 is log2(a)"},
    {"exp2", "write 2^a"},
    {"exp10", "write 10^a"},
    {"pow", "write a^b"},
    {"power", "write a^b"},
    {"fabs", "write abs(a)"},
    {"absolute", "write abs(a)"},
    {"arcsin", "write asin(a)"},
    {"arccos", "write acos(a)"},
    {"arctan", "write atan(a)"},
    {"arcsinh", "write asinh(a)"},
    {"arccosh", "write acosh(a)"},
    {"arctanh", "write atanh(a)"},
    {"atan2", "write atan(a/b) where b > 0"},
    {"arctan2", "write atan(a/b) where b > 0"},
    {"hypot", "write sqrt(a^2 + b^2)"},
    {"sec", "write 1/cos(a)"},
    {"csc", "write 1/sin(a)"},
    {"cot", "write 1/tan(a)"},
    {"sech", "write 1/cosh(a)"},
    {"csch", "write 1/sinh(a)"},
    {"coth", "write 1/tanh(a)"},
    {"sinc", "write sin(a)/a"},
    {"sind", "angles are in radians: write sin(a*pi/180)"},
    {"cosd", "angles are in radians: write cos(a*pi/180)"},
    {"tand", "angles are in radians: write tan(a*pi/180)"},
    {"expit", "write sigmoid(a)"},
    {"logistic", "write sigmoid(a)"},
    {"logit", "write log(a/(1 - a))"},
    {"relu", "write max(a, 0)"},
    {"maximum", "write max(a, b, ..)"},
    {"minimum", "write min(a, b, ..)"},
    {"amax", "write max(a, b, ..)"},
    {"amin", "write min(a, b, ..)"},
    {"where", "write if(condition, a, b)"},
    {"ifelse", "write if(condition, a, b)"},
    {"ifthenelse", "write if(condition, a, b)"},
    {"norm", "write sqrt(sum(i, 1, n, y[i]^2))"},
    {"dot", "write sum(i, 1, n, x[i]*y[i])"},
    {"mean", "write sum(i, 1, n, y[i])/n"},
    {"gamma", "there is no gamma function"},
    {"lgamma", "there is no gamma function"},
    {"inf", "every number of a formula is finite"},
    {"Inf", "every number of a formula is finite"},
    {"infinity", "every number of a formula is finite"},
    {"nan", "every number of a formula is finite"},
    {"NaN", "every number of a formula is finite"},
    {"PI", "write pi"},
    {"Pi", "write pi"},
    {"true", "write a comparison such as y > 0"},
    {"false", "write a comparison such as y > 0"},
});

}  // namespace

std::string_view foreign_name(std::string_view name) {
  const auto found = std::ranges::find_if(kForeign, [&](const auto& known) { return known.name == name; });
  return found == kForeign.end() ? std::string_view() : found->instead;
}

}  // namespace bilevel
