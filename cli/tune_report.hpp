// What `bilevel tune` says: text for people, result.json for programs, weights.csv, grid.csv and model.csv.
#pragma once

#include <string>

#include "bilevel/options.hpp"
#include "bilevel/tuning_input.hpp"

namespace bilevel::cli {

/// The rows that were read and where they are from, features, notes.
std::string tuning_input_text(const TuningInput& input);

/// Choices, the comparison, warnings, the most and least penalised, how the run ended, certificate and cost.
std::string tuning_text(const TuningInput& input, PenaltyScale penalty, const TuningResult& result, double seconds);

/// `asked` are the command's options.
std::string tuning_json(const TuningInput& input, const TuningResult& result, const OptionTable& asked, double seconds,
                        const std::string& directory);

/// name,log_weight,weight,coefficient_norm: a row for each weight, in the order of the features or classes.
std::string tuning_weights_csv(const TuningInput& input, PenaltyScale penalty, const TuningResult& result);

/// weight,valid_loss of the grid over one weight (of the short one without comparators).
std::string tuning_grid_csv(const TuningResult& result);

/// The final model, for features and targets as they stand in the files: a row for each feature and one for the
/// intercept, a column for each score. Sparse features are scaled, but not centred; so are these numbers.
std::string tuning_model_csv(const TuningInput& input, const TuningResult& result);

}  // namespace bilevel::cli
