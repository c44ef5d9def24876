// What `bilevel reweight` says: text for people, result.json for programs, weights.csv.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/options.hpp"
#include "bilevel/reweighting_input.hpp"

namespace bilevel::cli {

/// One seed's run.
struct Repetition {
  std::uint64_t seed = 0;
  ReweightingResult result;
};

/// The sources and the target's rows, where they are from, features, notes.
std::string reweight_input_text(const ReweightingInput& input);

/// Choices, weights, the comparison, warnings, how the first run ended, certificate and cost.
std::string reweight_text(const ReweightingInput& input, const std::vector<Repetition>& repetitions, double seconds);

/// `asked` are the command's options.
std::string reweight_json(const ReweightingInput& input, const std::vector<Repetition>& repetitions,
                          const OptionTable& asked, double seconds, const std::string& directory);

/// source,rows,mean,deviation and a column for each seed; a row for each source.
std::string reweight_weights_csv(const ReweightingInput& input, const std::vector<Repetition>& repetitions);

}  // namespace bilevel::cli
