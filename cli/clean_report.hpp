// What `bilevel clean` says and writes: tables for a person, result.json and weights.csv for a program.
#pragma once

#include <string>

#include "bilevel/cleaning.hpp"
#include "bilevel/cleaning_input.hpp"
#include "bilevel/options.hpp"

namespace bilevel::cli {

/// What was read: rows, features, classes, class balance, notes.
std::string input_text(const CleaningInput& input);

/// What was chosen, accuracies, suspects, detection, the twenty most suspicious rows, cost.
std::string result_text(const CleaningInput& input, const CleaningResult& result, double seconds);

/// result.json. `asked` holds the options as the user left them.
std::string result_json(const CleaningInput& input, const CleaningResult& result, const OptionTable& asked,
                        double seconds, const std::string& directory);

/// weights.csv: row (1-based in its file), label, suggested_label, weight, rank (1 = most suspicious).
std::string weights_csv(const CleaningInput& input, const CleaningResult& result);

}  // namespace bilevel::cli
