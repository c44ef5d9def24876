// A box in R^d: where to look for critical points, branches and starts.
#pragma once

#include "bilevel/vec.hpp"

namespace bilevel {

/// {p : low <= p <= high}, entry by entry.
struct Box {
  Vec low;   // R^d
  Vec high;  // R^d

  Index dim() const { return low.size(); }
  Vec centre() const { return 0.5 * (low + high); }
  /// Length of the diagonal.
  double diameter() const { return (high - low).norm(); }
  /// Whether p lies in the box, widened on every side by `margin` times its width there.
  bool contains(const Vec& p, double margin = 0) const;

  /// Throws DimensionMismatch unless low and high have length `dim`, InvalidInput unless they are finite and
  /// low <= high; `what` names the box in the sentence, e.g. "the box of x".
  void validate(Index dim, const char* what) const;
};

/// Centre +- radius * max(1, |centre_i|) in every coordinate.
Box box_around(const Vec& centre, double radius);

}  // namespace bilevel
