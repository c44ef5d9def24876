// What a formula does at one point, told by its text: where its kinks are, and where it stops being a number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bilevel/formula.hpp"

namespace bilevel {

struct FormulaDiagnosis {
  std::vector<Kink> kinks;  // nearest first
  std::string nonfinite;    // "" if value and derivatives are finite
};

/// Goes through the tree of a formula that Formula::parse has accepted, once for each number of its sums: slow beside
/// an evaluation, and meant for messages. x and y are as long as the formula needs.
FormulaDiagnosis diagnose(std::string_view text, const FormulaParameters& parameters, const Vec& x, const Vec& y);

}  // namespace bilevel
