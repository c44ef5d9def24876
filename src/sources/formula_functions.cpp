#include "sources/formula_functions.hpp"

#include <numbers>

namespace bilevel {

const std::vector<NamedFunction>& functions() {
  static const std::vector<NamedFunction> all{{"sin", Op::sine},           {"cos", Op::cosine},
                                              {"tan", Op::tangent},        {"exp", Op::exponential},
                                              {"log", Op::logarithm},      {"sqrt", Op::root},
                                              {"abs", Op::absolute},       {"tanh", Op::hyperbolic_tangent},
                                              {"sigmoid", Op::logistic},   {"huber", Op::huber_loss},
                                              {"softplus", Op::soft_plus}, {"square", Op::square},
                                              {"min", Op::smaller, true},  {"max", Op::larger, true}};
  return all;
}

std::optional<double> named_constant(std::string_view name) {
  if (name == "pi") return std::numbers::pi;
  if (name == "e") return std::numbers::e;
  return std::nullopt;
}

}  // namespace bilevel
