#include "bilevel/feature_matrix.hpp"

#include <cmath>
#include <type_traits>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "kernels/dense_rows.hpp"
#include "kernels/sparse_rows.hpp"
#include "sources/feature_storage.hpp"
#include "sources/subset_rows.hpp"

namespace bilevel {

namespace {

using Storage = FeatureMatrix::Storage;

/// `value` in Real; beyond its range counts as non-finite, too.
template <class Real, class Value>
Real checked(Value value, std::size_t row, std::size_t column) {
  const auto result = static_cast<Real>(value);
  if (!std::isfinite(result)) {
    throw InvalidInput(
        fmt::format("feature ({}, {}) (row, column, from 0) is {}, but features must be finite numbers{}", row, column,
                    value, std::is_same_v<Real, float> ? " of single precision" : ""));
  }
  return result;
}

void require_rows(std::size_t rows, std::size_t features) {
  if (rows == 0 || features == 0) {
    throw InvalidInput(
        fmt::format("a feature matrix needs at least one row and one feature, but has shape {} x {}", rows, features));
  }
}

/// `write_row(row, destination)` fills one row of Reals.
template <class Real, class WriteRow>
std::shared_ptr<const Storage> dense_storage(std::size_t rows, std::size_t features, const WriteRow& write_row) {
  kernels::DenseRows<Real> dense(rows, features);
  for (std::size_t i = 0; i < rows; ++i) write_row(i, dense.row(i));
  auto storage = std::make_shared<Storage>();
  storage->rows = Storage::Rows<Real>(std::make_shared<const kernels::DenseRows<Real>>(std::move(dense)));
  storage->entries_per_row = static_cast<double>(features);
  return storage;
}

template <class Value>
std::shared_ptr<const Storage> dense_copy(std::size_t rows, std::size_t features, std::span<const Value> values,
                                          Precision precision) {
  require_rows(rows, features);
  if (values.size() / features != rows || values.size() % features != 0) {
    throw DimensionMismatch(
        fmt::format("a dense feature matrix of shape {} x {} needs {} x {} values, but {} are given", rows, features,
                    rows, features, values.size()));
  }
  const auto copy_row = [&]<class Real>(std::size_t i, Real* row) {
    const Value* source = values.data() + i * features;
    for (std::size_t j = 0; j < features; ++j) row[j] = checked<Real>(source[j], i, j);
  };
  return precision == Precision::float32 ? dense_storage<float>(rows, features, copy_row)
                                         : dense_storage<double>(rows, features, copy_row);
}

template <class Real, class Value>
std::shared_ptr<const Storage> sparse_storage(std::size_t features, std::span<const std::size_t> row_starts,
                                              std::span<const std::uint32_t> columns, std::span<const Value> values) {
  std::vector<Real> converted(values.size());
  std::size_t row = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    while (row + 1 < row_starts.size() && row_starts[row + 1] <= k) ++row;
    converted[k] = checked<Real>(values[k], row, columns[k]);
  }
  const auto rows = row_starts.size() - 1;
  auto storage = std::make_shared<Storage>();
  storage->rows = Storage::Rows<Real>(std::make_shared<const kernels::SparseRows<Real>>(
      features, std::vector<std::size_t>(row_starts.begin(), row_starts.end()),
      std::vector<std::uint32_t>(columns.begin(), columns.end()), std::move(converted)));
  storage->is_sparse = true;
  storage->entries_per_row = static_cast<double>(values.size()) / static_cast<double>(rows);
  return storage;
}

template <class Value>
std::shared_ptr<const Storage> sparse_copy(std::size_t features, std::span<const std::size_t> row_starts,
                                           std::span<const std::uint32_t> columns, std::span<const Value> values,
                                           Precision precision) {
  require_rows(row_starts.empty() ? 0 : row_starts.size() - 1, features);
  if (columns.size() != values.size()) {
    throw DimensionMismatch(
        fmt::format("a sparse feature matrix needs a column for each value, but has {} columns and {} "
                    "values",
                    columns.size(), values.size()));
  }
  return precision == Precision::float32 ? sparse_storage<float>(features, row_starts, columns, values)
                                         : sparse_storage<double>(features, row_starts, columns, values);
}

}  // namespace

std::string_view to_string(Precision precision) { return precision == Precision::float32 ? "float32" : "float64"; }

FeatureMatrix FeatureMatrix::dense(std::size_t rows, std::size_t features, std::span<const float> values,
                                   Precision precision) {
  return FeatureMatrix(dense_copy(rows, features, values, precision));
}

FeatureMatrix FeatureMatrix::dense(std::size_t rows, std::size_t features, std::span<const double> values,
                                   Precision precision) {
  return FeatureMatrix(dense_copy(rows, features, values, precision));
}

FeatureMatrix FeatureMatrix::dense(std::size_t rows, std::size_t features, const FillRow& fill, Precision precision) {
  require_rows(rows, features);
  std::vector<double> buffer(features);
  const auto fill_row = [&]<class Real>(std::size_t i, Real* row) {
    fill(i, buffer);
    for (std::size_t j = 0; j < features; ++j) row[j] = checked<Real>(buffer[j], i, j);
  };
  return FeatureMatrix(precision == Precision::float32 ? dense_storage<float>(rows, features, fill_row)
                                                       : dense_storage<double>(rows, features, fill_row));
}

FeatureMatrix FeatureMatrix::sparse(std::size_t features, std::span<const std::size_t> row_starts,
                                    std::span<const std::uint32_t> columns, std::span<const float> values,
                                    Precision precision) {
  return FeatureMatrix(sparse_copy(features, row_starts, columns, values, precision));
}

FeatureMatrix FeatureMatrix::sparse(std::size_t features, std::span<const std::size_t> row_starts,
                                    std::span<const std::uint32_t> columns, std::span<const double> values,
                                    Precision precision) {
  return FeatureMatrix(sparse_copy(features, row_starts, columns, values, precision));
}

std::size_t FeatureMatrix::rows() const {
  return std::visit([](const auto& rows) { return rows->rows(); }, storage_->rows);
}

std::size_t FeatureMatrix::features() const {
  return std::visit([](const auto& rows) { return rows->features(); }, storage_->rows);
}

Precision FeatureMatrix::precision() const {
  return std::holds_alternative<Storage::Rows<float>>(storage_->rows) ? Precision::float32 : Precision::float64;
}

bool FeatureMatrix::is_sparse() const { return storage_->is_sparse; }

FeatureMatrix FeatureMatrix::subset(std::span<const std::uint32_t> indices) const {
  if (indices.empty()) throw DimensionMismatch("a subset of a feature matrix needs at least one row");
  std::vector<std::uint32_t> of_whole(indices.begin(), indices.end());
  for (auto& index : of_whole) {
    if (index >= rows()) {
      throw DimensionMismatch(
          fmt::format("the feature matrix has {} rows, but the subset asks for row {} (from 0)", rows(), index));
    }
    if (storage_->whole) index = storage_->indices[index];
  }
  auto part = std::make_shared<Storage>();
  part->is_sparse = storage_->is_sparse;
  part->entries_per_row = storage_->entries_per_row;
  part->whole = storage_->whole ? storage_->whole : storage_;
  std::visit(
      [&]<class Real>(const std::shared_ptr<const kernels::FeatureRows<Real>>& rows) {
        part->rows = Storage::Rows<Real>(std::make_shared<const sources::SubsetRows<Real>>(rows, of_whole));
      },
      part->whole->rows);
  part->indices = std::move(of_whole);
  return FeatureMatrix(std::move(part));
}

}  // namespace bilevel
