// Real targets in CSV files, which data::read_table reads as class labels.
#pragma once

#include <string>
#include <vector>

#include "bilevel/data.hpp"

namespace bilevel {

/// The target column of a CSV file as text, one a row.
struct TargetColumn {
  std::string name;
  std::vector<std::string> texts;
  bool all_numbers = false;    // finite ones
  bool has_fractions = false;  // a number that is no integer
  std::size_t different = 0;
};

/// False for IDX pairs and LIBSVM files.
bool is_csv(const std::string& spec);

/// The column that options.label names, else the one that read_table would choose.
TargetColumn read_target_column(const std::string& spec, const data::ReadOptions& options);

struct RealTable {
  data::Table table;  // labels mean nothing
  std::vector<double> targets;
};

/// Reads a CSV file with real targets; `training` is null for training rows, else as in data::read_table_like. Throws
/// InvalidInput that names row and line for a target that is missing or no finite number.
RealTable read_real_table(const std::string& spec, const data::Table* training, const data::ReadOptions& options);

}  // namespace bilevel
