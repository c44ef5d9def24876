#include "sources/formula_functions.hpp"

#include <numbers>

namespace bilevel {

const std::vector<NamedFunction>& functions() {
  static const std::vector<NamedFunction> all{{"sin", Op::sine},
                                              {"cos", Op::cosine},
                                              {"tan", Op::tangent},
                                              {"asin", Op::arc_sine},
                                              {"acos", Op::arc_cosine},
                                              {"atan", Op::arc_tangent},
                                              {"sinh", Op::hyperbolic_sine},
                                              {"cosh", Op::hyperbolic_cosine},
                                              {"tanh", Op::hyperbolic_tangent},
                                              {"asinh", Op::area_sine},
                                              {"acosh", Op::area_cosine},
                                              {"atanh", Op::area_tangent},
                                              {"exp", Op::exponential},
                                              {"expm1", Op::exponential_m1},
                                              {"log", Op::logarithm},
                                              {"log2", Op::logarithm_2},
                                              {"log10", Op::logarithm_10},
                                              {"log1p", Op::logarithm_1p},
                                              {"sqrt", Op::root},
                                              {"cbrt", Op::cube_root},
                                              {"erf", Op::error_function},
                                              {"erfc", Op::error_complement},
                                              {"abs", Op::absolute},
                                              {"sigmoid", Op::logistic},
                                              {"huber", Op::huber_loss},
                                              {"softplus", Op::soft_plus},
                                              {"square", Op::square},
                                              {"min", Op::smaller, true},
                                              {"max", Op::larger, true}};
  return all;
}

std::optional<double> named_constant(std::string_view name) {
  if (name == "pi") return std::numbers::pi;
  if (name == "e") return std::numbers::e;
  return std::nullopt;
}

}  // namespace bilevel
