// From files (or a named data set) to the parts that clean() works on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/cleaning.hpp"
#include "bilevel/data.hpp"
#include "bilevel/text_input.hpp"

namespace bilevel {

struct CleaningInputOptions {
  std::string dataset;  // a named data set, see data::named_dataset; or
  std::string train;    // training file(s), see data::read_table, or texts, see data::read_text
  std::string valid;    // trusted rows; empty: held out from the training rows
  std::string test;     // empty: no test accuracy
  std::string truth;    // true labels of the training rows, see data::read_labels: measures detection only

  std::string label;              // CSV label column
  std::vector<std::string> drop;  // CSV columns to leave out
  data::Header header = data::Header::automatic;

  TextInputOptions texts;

  std::size_t train_rows = 20000;  // of a named data set: rows drawn for training ...
  std::size_t valid_rows = 5000;   // ... and as trusted rows (at most as many as there are)
  double hold_out = 0.2;           // of a training file without --valid: the share that is trusted

  std::optional<double> corrupt;  // for experiments: share of training labels to make wrong
  data::Corruption corruption = data::Corruption::uniform;

  data::Scaling scaling = data::Scaling::automatic;
  Precision precision = Precision::float32;
  std::uint64_t seed = 1;  // of drawing, holding out and corrupting
};
void describe(OptionTable& table, CleaningInputOptions& options);

/// What was read, and where it came from.
struct CleaningInput {
  CleaningData data;
  /// The rows of the training file that are used, without their features: first the N training rows, labels as given
  /// (corrupted if asked), then the rows held out from the same file to be trusted, if any.
  data::Table table;
  std::vector<std::size_t> row_numbers;  // N: 1-based number of each training row in its file (data row, not line)
  std::string train_source, trusted_source,
      test_source;                 // phrases such as "held out from the 5,000 rows of people.csv"; empty: no such rows
  std::size_t missing_truths = 0;  // training rows whose true label is not known
  std::vector<std::string> notes;  // to tell the user: what a hold-out costs, constant columns, ...
  Choices choices;                 // scaling asked -> used, hold-out, ...
};

/// Reads, draws or holds out, scales (fitted on training rows only), corrupts. Throws InvalidInput and InvalidOption
/// with the sentences of the readers; a combination of options that makes no sense is an InvalidOption.
CleaningInput read_cleaning_input(const CleaningInputOptions& options);

}  // namespace bilevel
