// The losses of linear models, block by block: what happens between the two thin products of a pass.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bilevel/linear_models.hpp"
#include "kernels/feature_rows.hpp"

namespace bilevel::sources {

/// At most kBlockRows rows: those from `begin` on, or, when `indices` is not null, indices[0 .. count).
struct BlockOfRows {
  std::size_t begin;
  std::size_t count;
  const std::uint32_t* indices;
};

/// Loss of S scores a row. Blocks are class-major, S x kBlockRows, 64-byte aligned; rows behind `count` come out as
/// zeros. The state (S x kBlockRows) is all that derivatives at a point need of the scores there. Row arrays have
/// `count` entries; `weight` null means ones.
template <class Real>
class RowLoss {
 public:
  virtual ~RowLoss() = default;

  virtual std::size_t scores() const = 0;

  /// Z = scores. `loss` may be null.
  virtual void state(const BlockOfRows& rows, const Real* Z, Real* state, Real* loss) const = 0;
  /// R = w_r times the loss's gradient in the scores.
  virtual void residual(const BlockOfRows& rows, const Real* state, const Real* weight, Real* R) const = 0;
  /// Z = scores of a direction. R = w_r times the loss's second derivative in the scores, applied to Z;
  /// cross[r] = <loss's gradient in the scores, z_r>, not weighted. `cross` may be null. R may be Z.
  virtual void product(const BlockOfRows& rows, const Real* state, const Real* Z, const Real* weight, Real* R,
                       Real* cross) const = 0;
};

/// Throws InvalidOption for a bad number of classes or targets of the wrong kind, InvalidInput for a bad target.
template <class Real>
std::unique_ptr<const RowLoss<Real>> make_row_loss(const LinearModelOptions& options, Targets targets);

extern template std::unique_ptr<const RowLoss<float>> make_row_loss(const LinearModelOptions&, Targets);
extern template std::unique_ptr<const RowLoss<double>> make_row_loss(const LinearModelOptions&, Targets);

}  // namespace bilevel::sources
