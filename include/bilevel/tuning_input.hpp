// From files (or a named data set) to the parts that tune() works on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/data.hpp"
#include "bilevel/tuning.hpp"

namespace bilevel {

enum class TuningTask { automatic, classify, regress };
/// automatic: float64 up to two million numbers, where it costs nothing to speak of, else float32.
enum class TuningPrecision { automatic, float32, float64 };

struct TuningInputOptions {
  std::string dataset;  // a named data set, see data::named_dataset; or
  std::string train;    // training file(s), see data::read_table
  std::string valid;    // validation rows; empty: folds, or held out from the training rows
  std::string test;     // empty: no test loss

  TuningTask task = TuningTask::automatic;
  std::string label;              // CSV column of the classes or targets
  std::vector<std::string> drop;  // CSV columns to leave out
  data::Header header = data::Header::automatic;

  std::string groups;  // CSV file "feature,group"; empty: the features of one CSV column are a group

  std::optional<std::size_t> folds;  // K >= 2. Empty: 5, unless there is a validation file, a data set or hold_out
  std::optional<double> hold_out;    // share of the training rows that validates instead
  std::size_t train_rows = 20000;    // of a named data set: rows drawn for training ...
  std::size_t valid_rows = 5000;     // ... and for validation

  data::Scaling scaling = data::Scaling::automatic;
  TuningPrecision precision = TuningPrecision::automatic;
  std::uint64_t seed = 1;  // of drawing, dealing into folds and holding out
};
void describe(OptionTable& table, TuningInputOptions& options);

/// What was read, and where it came from.
struct TuningInput {
  TuningData data;                           // real targets are scaled to mean 0 and deviation 1
  std::vector<std::string> feature_names;    // d
  std::vector<std::string> class_names;      // C; empty for real targets
  std::vector<std::string> group_names;      // G, as data.groups numbers them
  data::Standardizer scaling;                // of the features in `data`
  double target_mean = 0, target_scale = 1;  // target = mean + scale * the target in `data`
  std::string train_source, valid_source, test_source;
  std::vector<std::string> notes;
  Choices choices;
};

/// Reads, draws or deals into folds, scales. Throws InvalidInput and InvalidOption with the sentences of the readers; a
/// combination of options that makes no sense is an InvalidOption, and so are more folds than rows.
TuningInput read_tuning_input(const TuningInputOptions& options);

}  // namespace bilevel
