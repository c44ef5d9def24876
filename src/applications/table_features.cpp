#include "applications/table_features.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

namespace {

class Scale {
 public:
  explicit Scale(const data::Standardizer& scaling)
      : mean_(scaling.mean), scale_(scaling.scale), is_identity_(scaling.scaling == data::Scaling::none) {}

  double operator()(std::size_t feature, float value) const {
    const auto x = static_cast<double>(value);
    return is_identity_ ? x : (x - mean_[feature]) * scale_[feature];
  }

 private:
  const std::vector<double>& mean_;
  const std::vector<double>& scale_;
  bool is_identity_;
};

FeatureMatrix sparse_features(const data::Table& table, std::span<const std::uint32_t> rows, const Scale& scale,
                              Precision precision) {
  std::vector<std::size_t> row_starts{0};
  std::size_t stored = 0;
  for (const auto row : rows) row_starts.push_back(stored += table.row_starts[row + 1] - table.row_starts[row]);
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
  columns.reserve(stored);
  values.reserve(stored);
  for (const auto row : rows) {
    for (std::size_t k = table.row_starts[row]; k < table.row_starts[row + 1]; ++k) {
      columns.push_back(table.columns[k]);
      values.push_back(scale(table.columns[k], table.values[k]));
    }
  }
  return FeatureMatrix::sparse(table.features, row_starts, columns, std::span<const double>(values), precision);
}

}  // namespace

FeatureMatrix table_features(const data::Table& table, std::span<const std::uint32_t> rows,
                             const data::Standardizer& scaling, Precision precision) {
  const Scale scale(scaling);
  if (table.sparse) return sparse_features(table, rows, scale, precision);
  const auto fill = [&](std::size_t i, std::span<double> features) {
    const float* const values = table.dense.data() + rows[i] * table.features;
    for (std::size_t j = 0; j < features.size(); ++j) features[j] = scale(j, values[j]);
  };
  return FeatureMatrix::dense(rows.size(), table.features, fill, precision);
}

FeatureMatrix table_features(const data::Table& table, const data::Standardizer& scaling, Precision precision) {
  std::vector<std::uint32_t> rows(table.rows);
  std::iota(rows.begin(), rows.end(), 0U);
  return table_features(table, rows, scaling, precision);
}

void check_model_size(const data::Table& table) {
  // Half a gigabyte for one vector of a run, which keeps some twenty: iterates, gradients, directions.
  constexpr double kMost = 1 << 26;
  const auto classes = static_cast<double>(std::max<std::size_t>(table.classes, 1));
  const double parameters = static_cast<double>(table.features) * classes;
  if (parameters <= kMost) return;
  throw InvalidInput(fmt::format(
      "{}: {} features and {} classes make a model of {:.3g} numbers, {:.3g} GB for each of the some twenty vectors of "
      "a run; at most {:.3g} numbers are accepted: {}",
      table.source, table.features, table.classes, parameters, 8e-9 * parameters, kMost,
      table.format == data::Format::text ? "choose fewer buckets" : "leave out columns, or merge classes"));
}

Precision automatic_precision(std::size_t numbers) {
  constexpr std::size_t kFew = 2'000'000;
  return numbers <= kFew ? Precision::float64 : Precision::float32;
}

}  // namespace bilevel
