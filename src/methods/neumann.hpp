// v ~ H^-1 f_y by truncated Neumann series on minibatches.
#pragma once

#include <initializer_list>
#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

/// A point, and the vector that the series is applied to there: R^m, replaced by the answer.
struct AdjointAt {
  const Vec& x;
  const Vec& y;
  Vec* v;
};

/// v <- s sum_{q=0..Q} (I - s H(xi_q)) ... (I - s H(xi_1)) v at every point, on the same batches `draw()`. With |I - s
/// H| < 1 it falls short of H^-1 v by (I - s H)^(Q+1) H^-1 v in the mean. Q products hess_yy a point.
template <class Draw>
void neumann_sum(const Objective& g, double s, Index Q, Draw&& draw, std::initializer_list<AdjointAt> points) {
  std::vector<Vec> terms;
  for (const auto& at : points) terms.push_back(*at.v);
  for (Index q = 0; q < Q; ++q) {
    const Batch xi = draw();
    auto term = terms.begin();
    for (const auto& at : points) {
      *term -= s * g.hess_yy(at.x, at.y, *term, xi);
      *at.v += *term++;
    }
  }
  for (const auto& at : points) *at.v *= s;
}

/// v <- Q s (I - s H(xi_p)) ... (I - s H(xi_1)) v; for p uniform on 0 .. Q-1 its mean is that of the sum to Q - 1. p
/// products hess_yy a point.
template <class Draw>
void neumann_product(const Objective& g, double s, Index Q, Index p, Draw&& draw,
                     std::initializer_list<AdjointAt> points) {
  for (Index q = 0; q < p; ++q) {
    const Batch xi = draw();
    for (const auto& at : points) *at.v -= s * g.hess_yy(at.x, at.y, *at.v, xi);
  }
  for (const auto& at : points) *at.v *= s * static_cast<double>(Q);
}

}  // namespace bilevel
