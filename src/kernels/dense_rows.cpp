#include "kernels/dense_rows.hpp"

#include <algorithm>
#include <bilevel/status.hpp>
#include <limits>
#include <new>
#include <string>

namespace bilevel::kernels {
namespace {

template <class Real>
AlignedBuffer<Real> allocate_rows(std::size_t rows, std::size_t features) {
  const auto refuse = [&](const std::string& why) {
    throw InvalidInput(std::to_string(rows) + " rows of " + std::to_string(features) + " features " + why);
  };
  if (features == 0) refuse("cannot be used: at least one feature is needed");
  if (rows > std::numeric_limits<std::uint32_t>::max()) refuse("are too many: at most 4294967295 rows are allowed");
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max() / 2 / sizeof(Real);
  if (features > kMost / 2 || rows > kMost / spread_features<Real>(features))
    refuse("do not fit into the address space");
  try {
    return AlignedBuffer<Real>(rows * spread_features<Real>(features));
  } catch (const std::bad_alloc&) {
    refuse("do not fit into memory");
    throw;
  }
}

/// Pointers to a block's rows and to those behind it; the places behind them, as far as kernels read whole tiles,
/// repeat the last row.
template <class Real>
struct RowPointers {
  const Real* rows[kBlockRows + kGroupRows];

  template <class RowOf>
  RowPointers(std::size_t count, RowOf row_of) {
    const std::size_t whole = (count + kGroupRows - 1) / kGroupRows * kGroupRows;
    for (std::size_t r = 0; r < count; ++r) rows[r] = row_of(r);
    std::fill(rows + count, rows + whole, rows[count - 1]);
  }
};

/// The unit in which processors look up where memory lies, on the usual machines; larger units only make some of the
/// look-ups needless.
constexpr std::size_t kPage = 4096;

/// One prefetch. The compiler takes a loop of nothing but its own prefetches for empty.
void fetch_line(const char* at) {
#if defined(__GNUC__)
  __builtin_prefetch(at, 0, 3);
  asm volatile("" ::"r"(at));
#else
  static_cast<void>(at);
#endif
}

template <class Real>
NextBlock nothing_ahead(const Real* valid) {
  return {reinterpret_cast<const char*>(valid), 0};
}

template <class Real>
void clear_behind(std::size_t count, std::size_t classes, Real* Z) {
  if (count == kBlockRows) return;
  for (std::size_t c = 0; c < classes; ++c) std::fill(Z + c * kBlockRows + count, Z + (c + 1) * kBlockRows, Real{0});
}

}  // namespace

template <class Real>
DenseRows<Real>::DenseRows(std::size_t rows, std::size_t features)
    : FeatureRows<Real>(rows, features, padded_features<Real>(features)),
      stride_(0),
      data_(allocate_rows<Real>(rows, features)) {
  stride_ = spread_features<Real>(features);
}

template <class Real>
void DenseRows<Real>::scores(std::size_t begin, std::size_t count, const Real* W, std::size_t classes, Real* Z) const {
  const RowPointers<Real> block(count, [&](std::size_t r) { return row(begin + r); });
  dense_scores(block.rows, count, this->weight_stride(), rows_ahead(begin + count, count), W, classes, Z);
  clear_behind(count, classes, Z);
}

template <class Real>
void DenseRows<Real>::accumulate(std::size_t begin, std::size_t count, const Real* R, std::size_t classes,
                                 Real* G) const {
  const RowPointers<Real> block(count, [&](std::size_t r) { return row(begin + r); });
  dense_accumulate(block.rows, count, this->weight_stride(), rows_ahead(begin + count, count), R, classes, G);
}

template <class Real>
NextBlock DenseRows<Real>::rows_ahead(std::size_t begin, std::size_t count) const {
  return {reinterpret_cast<const char*>(row(begin)), std::min(count, this->rows() - begin) * stride_ * sizeof(Real)};
}

template <class Real>
void DenseRows<Real>::scores_gathered(const GatheredRows& rows, const Real* W, std::size_t classes, Real* Z) const {
  const RowPointers<Real> block(rows.count + rows.ahead, [&](std::size_t r) { return row(rows.indices[r]); });
  dense_scores_gathered(block.rows, rows.count, rows.ahead, this->weight_stride(), W, classes, Z);
  clear_behind(rows.count, classes, Z);
}

template <class Real>
void DenseRows<Real>::accumulate_gathered(const GatheredRows& rows, const Real* R, std::size_t classes, Real* G) const {
  const RowPointers<Real> block(rows.count + rows.ahead, [&](std::size_t r) { return row(rows.indices[r]); });
  dense_accumulate_gathered(block.rows, rows.count, rows.ahead, this->weight_stride(), R, classes, G);
}

template <class Real>
void DenseRows<Real>::expect_gathered(const std::uint32_t* indices, std::size_t count) const {
  // A look-up holds everything up that comes after it, but several go on at once: all of them in a row take a fraction
  // of the time that they take one by one, each in front of its row's products.
  const std::size_t bytes = this->weight_stride() * sizeof(Real);
  for (std::size_t r = 0; r < count; ++r) {
    const auto* const at = reinterpret_cast<const char*>(row(indices[r]));
    for (std::size_t offset = 0; offset < bytes; offset += kPage) fetch_line(at + offset);
    fetch_line(at + bytes - 1);
  }
}

template class DenseRows<float>;
template class DenseRows<double>;

}  // namespace bilevel::kernels
