// The data side of a linear model: the two thin products that a softmax pass is made of, for a block of rows at a time.
//
// A pass over the data takes blocks of at most kBlockRows rows. For each block it computes the scores Z = W X', turns
// them into residuals R (softmax_block.hpp), and adds R X to the gradient G while the block is still in the cache. Z
// and R are class-major, so that a vector register holds one class of neighbouring rows. Two parameter vectors share
// one pass if their class rows are stacked in one W of twice as many classes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bilevel::kernels {

/// Rows of a block. Z and R have kBlockRows columns for each class, however few rows a block has.
inline constexpr std::size_t kBlockRows = 64;

/// Rows of a group: gathered rows that lie far apart are taken by so many at a time, so that the next group is on its
/// way from memory during both products of this one.
inline constexpr std::size_t kGroupRows = 16;

/// Alignment in bytes of every array that the kernels read or write as vectors: W, G, Z, R and the rows themselves.
inline constexpr std::size_t kAlignment = 64;

/// `features` rounded up so that each class's weight row starts on a kAlignment boundary.
template <class Real>
constexpr std::size_t padded_features(std::size_t features) {
  constexpr std::size_t kLanes = kAlignment / sizeof(Real);
  return (features + kLanes - 1) / kLanes * kLanes;
}

/// padded_features(), and a line more where arrays at that distance meet in an eighth of the sets of a 64-set cache, or
/// fewer: a distance of a multiple of 8 lines.
template <class Real>
constexpr std::size_t spread_features(std::size_t features) {
  constexpr std::size_t kLine = kAlignment / sizeof(Real);
  const std::size_t padded = padded_features<Real>(features);
  return padded % (8 * kLine) == 0 ? padded + kLine : padded;
}

/// Rows that lie anywhere and may repeat.
struct GatheredRows {
  const std::uint32_t* indices;
  std::size_t count;      // 1 .. kBlockRows
  std::size_t ahead = 0;  // indices[count .. count + ahead), at most kGroupRows, come next: they are fetched meanwhile
};

/// N x d immutable feature rows x_i; Real is float or double. Thread-safe: no call changes the object.
///
/// All arrays are kAlignment-aligned. W and G are classes x weight_stride(), row-major, with zeros behind the features
/// of W (accumulate leaves zeros there in G). Z and R are classes x kBlockRows, class-major. Sums run in Real: in float
/// the relative error of an entry of G grows with the number of blocks added to it, so add G to a double total every
/// few blocks and clear it. The order of summation depends on the processor's vector width and on how rows are cut into
/// blocks, on nothing else: same machine and same blocks give the same bits.
///
/// Preconditions, unchecked because these are inner loops: 1 <= count <= kBlockRows, classes >= 1, rows in range.
template <class Real>
class FeatureRows {
 public:
  FeatureRows(const FeatureRows&) = delete;
  FeatureRows& operator=(const FeatureRows&) = delete;
  virtual ~FeatureRows() = default;

  std::size_t rows() const { return rows_; }
  std::size_t features() const { return features_; }

  /// Length of a class's row in W and G: padded_features<Real>(features()) for dense rows, spread_features for sparse
  /// ones, whose entries meet all classes in one column.
  std::size_t weight_stride() const { return weight_stride_; }

  /// Z[c * kBlockRows + r] = <x_{begin + r}, W_c> for r < count, and 0 for count <= r < kBlockRows.
  virtual void scores(std::size_t begin, std::size_t count, const Real* W, std::size_t classes, Real* Z) const = 0;

  /// G_c += sum_{r < count} R[c * kBlockRows + r] x_{begin + r}. Call it in the order of the blocks: it fetches the
  /// next.
  virtual void accumulate(std::size_t begin, std::size_t count, const Real* R, std::size_t classes, Real* G) const = 0;

  /// scores() of gathered rows.
  virtual void scores_gathered(const GatheredRows& rows, const Real* W, std::size_t classes, Real* Z) const = 0;

  /// accumulate() of gathered rows.
  virtual void accumulate_gathered(const GatheredRows& rows, const Real* R, std::size_t classes, Real* G) const = 0;

  /// Rows that a pass over gathered rows should take at a time: kBlockRows, or kGroupRows.
  virtual std::size_t gathered_rows() const { return kBlockRows; }

  /// Tells that `count` gathered rows come next: where they lie is looked up meanwhile, and the first are fetched.
  virtual void expect_gathered(const std::uint32_t* /*indices*/, std::size_t /*count*/) const {}

 protected:
  FeatureRows(std::size_t rows, std::size_t features, std::size_t weight_stride)
      : rows_(rows), features_(features), weight_stride_(weight_stride) {}
  FeatureRows(FeatureRows&& other) noexcept = default;
  FeatureRows& operator=(FeatureRows&& other) noexcept = default;

 private:
  std::size_t rows_;
  std::size_t features_;
  std::size_t weight_stride_;
};

}  // namespace bilevel::kernels
