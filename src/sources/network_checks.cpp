#include "sources/network_checks.hpp"

#include <cmath>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

void check_rows(const NetworkOptions& options, const Table& rows, const Table& targets, std::string_view what) {
  if (rows.cols() != options.inputs || targets.cols() != options.outputs || rows.rows() != targets.rows() ||
      rows.rows() == 0) {
    throw DimensionMismatch(fmt::format(
        "{} needs rows of {} inputs and as many targets of {} outputs, at least one, but got {} x {} and {} x {}", what,
        options.inputs, options.outputs, rows.rows(), rows.cols(), targets.rows(), targets.cols()));
  }
  for (Index i = 0; i < rows.rows(); ++i) {
    if (!rows.row(i).allFinite()) throw InvalidInput(fmt::format("{}: row {} has a non-finite entry", what, i + 1));
    if (!targets.row(i).allFinite()) {
      throw InvalidInput(fmt::format("{}: the target of row {} has a non-finite entry", what, i + 1));
    }
    if (options.loss == NetworkLoss::squared) continue;
    constexpr double kRounding = 1e-6;
    if (targets.row(i).minCoeff() < 0 || std::abs(targets.row(i).sum() - 1) > kRounding) {
      throw InvalidInput(
          fmt::format("{}: the target of row {} is no distribution: cross entropy needs entries >= 0 that add up to 1",
                      what, i + 1));
    }
  }
}

void check_labels(std::span<const std::int32_t> labels, Index classes) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < classes) continue;
    throw InvalidInput(fmt::format("label {} of row {} is not in 0..{}", labels[i], i + 1, classes - 1));
  }
}

}  // namespace bilevel
