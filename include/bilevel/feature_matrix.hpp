// FeatureMatrix: the rows of a data set, stored once in the precision that the linear models compute in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace bilevel {

/// What the passes over the data compute in. Parameters and results are double either way.
enum class Precision : std::uint8_t {
  float32,  // gradients good to about 1e-6 of their norm, twice as fast, half the memory
  float64,
};
std::string_view to_string(Precision precision);

/// N x d features, dense or sparse, immutable. A value: copies and subsets share the storage.
///
/// N >= 1, d >= 1 and every entry is finite in the chosen precision, else InvalidInput that names row and column
/// (counted from 0).
class FeatureMatrix {
 public:
  /// Writes the d features of one row.
  using FillRow = std::function<void(std::size_t row, std::span<double> features)>;

  /// `values` is rows x features, row-major; another length is a DimensionMismatch.
  static FeatureMatrix dense(std::size_t rows, std::size_t features, std::span<const float> values,
                             Precision precision = Precision::float32);
  static FeatureMatrix dense(std::size_t rows, std::size_t features, std::span<const double> values,
                             Precision precision = Precision::float64);
  /// The same without a second copy of the data: `fill` is called once for each row, in order.
  static FeatureMatrix dense(std::size_t rows, std::size_t features, const FillRow& fill, Precision precision);

  /// Compressed sparse rows: row i has the entries row_starts[i] .. row_starts[i + 1] of columns and values; N is
  /// row_starts.size() - 1. Repeated columns of a row add up. Bad indices are an InvalidInput that names the row.
  static FeatureMatrix sparse(std::size_t features, std::span<const std::size_t> row_starts,
                              std::span<const std::uint32_t> columns, std::span<const float> values,
                              Precision precision = Precision::float32);
  static FeatureMatrix sparse(std::size_t features, std::span<const std::size_t> row_starts,
                              std::span<const std::uint32_t> columns, std::span<const double> values,
                              Precision precision = Precision::float64);

  std::size_t rows() const;
  std::size_t features() const;
  Precision precision() const;
  bool is_sparse() const;

  /// The rows `indices` (repetitions allowed), in that order, without copying features. Throws DimensionMismatch if it
  /// is empty or an index is out of range.
  FeatureMatrix subset(std::span<const std::uint32_t> indices) const;

  /// Internal: what the models in this library see of it.
  struct Storage;
  const Storage& storage() const { return *storage_; }

 private:
  explicit FeatureMatrix(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {}
  std::shared_ptr<const Storage> storage_;
};

}  // namespace bilevel
