#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

constexpr double kLargestByte = 255;

const std::vector<std::string>& scaling_names() {
  static const std::vector<std::string> names = {"auto", "standardize", "unit", "none"};
  return names;
}

// Calls each(feature, value) for the stored values of a row.
template <typename Each>
void for_row(const Table& table, std::size_t row, Each each) {
  if (table.sparse) {
    for (std::size_t k = table.row_starts[row]; k < table.row_starts[row + 1]; ++k) {
      each(table.columns[k], table.values[k]);
    }
  } else {
    const float* const features = table.dense.data() + row * table.features;
    for (std::size_t j = 0; j < table.features; ++j) each(j, features[j]);
  }
}

// 1 / standard deviation, from sums over rows; the two passes keep the digits that one pass over squares would lose.
void fit_standardize(Standardizer& fitted, const Table& table, std::span<const std::uint32_t> rows) {
  const auto count = static_cast<double>(rows.size());
  std::vector<double> mean(table.features, 0.0);
  std::vector<double> squares(table.features, 0.0);
  std::vector<float> smallest(table.features, std::numeric_limits<float>::infinity());
  std::vector<float> largest(table.features, -std::numeric_limits<float>::infinity());
  std::vector<std::size_t> stored(table.sparse ? table.features : 0, 0);
  for (const std::uint32_t row : rows) {
    for_row(table, row, [&](std::size_t j, float value) {
      mean[j] += static_cast<double>(value);
      smallest[j] = std::min(smallest[j], value);
      largest[j] = std::max(largest[j], value);
      if (table.sparse) ++stored[j];
    });
  }
  for (double& sum : mean) sum /= count;
  for (const std::uint32_t row : rows) {
    for_row(table, row, [&](std::size_t j, float value) {
      const double deviation = static_cast<double>(value) - mean[j];
      squares[j] += deviation * deviation;
    });
  }
  for (std::size_t j = 0; j < table.features; ++j) {
    if (table.sparse && stored[j] < rows.size()) {
      squares[j] += static_cast<double>(rows.size() - stored[j]) * mean[j] * mean[j];
      smallest[j] = std::min(smallest[j], 0.0F);
      largest[j] = std::max(largest[j], 0.0F);
    }
    if (smallest[j] < largest[j]) fitted.scale[j] = 1.0 / std::sqrt(squares[j] / count);
  }
  if (table.sparse) {
    fitted.notes.push_back("sparse features are divided by their standard deviation but not centred");
  } else {
    fitted.mean = std::move(mean);
  }
}

void fit_unit(Standardizer& fitted, const Table& table, std::span<const std::uint32_t> rows) {
  if (table.format == Format::idx) {
    std::fill(fitted.scale.begin(), fitted.scale.end(), 1.0 / kLargestByte);
    return;
  }
  for (const std::uint32_t row : rows) {
    for_row(table, row, [&](std::size_t j, float value) {
      fitted.scale[j] = std::max(fitted.scale[j], std::abs(static_cast<double>(value)));
    });
  }
  for (double& scale : fitted.scale) scale = scale > 0 ? 1.0 / scale : 1.0;
}

}  // namespace

std::string_view to_string(Scaling scaling) { return scaling_names()[static_cast<std::size_t>(scaling)]; }

Scaling parse_scaling(std::string_view name) {
  const auto& names = scaling_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw InvalidOption(fmt::format("the scaling {} is unknown{}; it must be one of {}", in_quotes(name),
                                    nearest_hint(name, names), list_in_quotes(names)));
  }
  return static_cast<Scaling>(found - names.begin());
}

Standardizer fit_standardizer(const Table& table, std::span<const std::uint32_t> rows, Scaling scaling) {
  if (rows.empty()) throw InvalidInput(fmt::format("{}: no rows to fit the scaling on", table.source));
  const auto beyond = std::find_if(rows.begin(), rows.end(), [&](std::uint32_t row) { return row >= table.rows; });
  if (beyond != rows.end()) {
    throw DimensionMismatch(
        fmt::format("row {} does not exist: {} has {}", *beyond, table.source, counted(table.rows, "row")));
  }
  if (scaling == Scaling::automatic) scaling = table.format == Format::text ? Scaling::none : Scaling::standardize;
  Standardizer fitted{.scaling = scaling, .mean = {}, .scale = {}, .notes = {}};
  if (scaling == Scaling::none) return fitted;
  fitted.mean.assign(table.features, 0.0);
  fitted.scale.assign(table.features, 0.0);
  if (scaling == Scaling::standardize) fit_standardize(fitted, table, rows);
  if (scaling == Scaling::unit) fit_unit(fitted, table, rows);
  return fitted;
}

Standardizer fit_standardizer(const Table& table, Scaling scaling) {
  std::vector<std::uint32_t> rows(table.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  return fit_standardizer(table, rows, scaling);
}

void Standardizer::apply(Table& table) const {
  if (scaling == Scaling::none) return;
  if (scale.size() != table.features || mean.size() != table.features) {
    throw DimensionMismatch(fmt::format("the scaling was fitted on {}, but {} has {}", counted(scale.size(), "feature"),
                                        table.source, table.features));
  }
  if (table.sparse) {
    for (std::size_t k = 0; k < table.values.size(); ++k) {
      table.values[k] = static_cast<float>(static_cast<double>(table.values[k]) * scale[table.columns[k]]);
    }
    return;
  }
  for (std::size_t i = 0; i < table.rows; ++i) {
    float* const features = table.dense.data() + i * table.features;
    for (std::size_t j = 0; j < table.features; ++j) {
      features[j] = static_cast<float>((static_cast<double>(features[j]) - mean[j]) * scale[j]);
    }
  }
}

}  // namespace bilevel::data
