// Objectives side by side: one leader, a follower for each of them.
#pragma once

#include <memory>
#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

/// phi(x, y) = weight sum_k phi_k(x, y_k) with y = [y_1; ..; y_K]. H is block diagonal, B = [B_1 .. B_K]. Provides what
/// all blocks provide; one call of an oracle is one of each block's. Full batches only: it counts as one sample.
class StackedObjective final : public Objective {
 public:
  /// Throws InvalidInput without blocks, DimensionMismatch unless they agree on n.
  StackedObjective(std::string name, std::vector<std::shared_ptr<const Objective>> blocks, double weight);

  double rounding() const override;
  std::size_t linearization_bytes() const override;

 private:
  class Products;

  OracleSet do_provides() const override;
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override;
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override;

  std::vector<std::shared_ptr<const Objective>> blocks_;
  double weight_;
};

}  // namespace bilevel
