// From files (or a named data set) to the parts that distil() works on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/data.hpp"
#include "bilevel/distillation.hpp"

namespace bilevel {

struct DistillationInputOptions {
  std::string dataset;  // a named data set, see data::named_dataset; or
  std::string train;    // training file(s), see data::read_table
  std::string test;     // empty: no test accuracy
  std::string label;    // CSV label column

  std::size_t train_rows = 20000;  // of a named data set: rows drawn for the leader's loss
  double hold_out = 0.2;           // share of the training rows that chooses among models; of a data set, beside those
  data::Scaling scaling = data::Scaling::automatic;
};
void describe(OptionTable& table, DistillationInputOptions& options);

struct DistillationInput {
  DistillationData data;
  data::Table table;           // the training file without its rows: names, image size
  data::Standardizer scaling;  // of the features, fitted on the training rows
  std::string train_source, test_source;
  std::vector<std::string> notes;

  /// Features as the file has them: pixels of an image.
  Table unscaled(const Table& rows) const;
};

/// Reads, draws and holds out with `seed`, scales. Throws InvalidInput and InvalidOption with the sentences of the
/// readers, and for sparse files (a distilled row has no zeros).
DistillationInput read_distillation_input(const DistillationInputOptions& options, std::uint64_t seed);

}  // namespace bilevel
