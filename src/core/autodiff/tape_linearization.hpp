// A recorded second-order tape at one point: products are one pass forward (tangents) and one back (their adjoints).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bilevel/autodiff/jet.hpp"
#include "bilevel/objective.hpp"
#include "core/autodiff/arena.hpp"

namespace bilevel::autodiff {

class TapeLinearization final : public Linearization::Implementation {
 public:
  /// Copies the point; the recording must read x and y from here, because product nodes keep pointers to them.
  TapeLinearization(const Vec& x, const Vec& y);
  TapeLinearization(const TapeLinearization&) = delete;
  TapeLinearization& operator=(const TapeLinearization&) = delete;

  const double* x() const { return leaves_; }
  const double* y() const { return leaves_ + dim_x_; }

  /// Takes the tape over: phi = weight * sum of roots. Returns the gradient with respect to (x, y), which
  /// stands in the tape's memory.
  const double* take(Arena<2>& tape, std::span<const Jet<2>> roots, double weight);

  /// Bytes that grow with the number of samples.
  std::size_t tape_bytes() const;

  Vec hess_yy(const Vec& v) const override;
  Vec hess_xy(const Vec& v) const override;
  Vec hess_yx(const Vec& u) const override;
  Products both(const Vec& v) const override;

 private:
  struct Root {
    double curvature;
    std::int32_t parent;
  };

  /// Tangent `seed` at the leaves from seed_start on; returns the Hessian times it at all leaves, in scratch memory.
  const double* sweep(Index seed_start, const Vec& seed) const;
  void forward(double* tangent) const;
  double forward_wide(const WideNode& node, const double* tangent) const;
  void back(const double* tangent, double* adjoint) const;
  void back_wide(const WideNode& node, double own_tangent, const double* tangent, double* adjoint) const;

  // Small problems take many linearizations: one allocation each is enough for them.
  static constexpr Index kFewLeaves = 4;

  Index dim_x_, dim_y_;
  std::array<double, kFewLeaves> few_leaves_;
  std::unique_ptr<double[]> many_leaves_;
  double* leaves_;  // x, then y, in one of the two
  std::unique_ptr<Node<2>[]> nodes_;
  std::size_t size_ = 0;
  SideTable wide_;
  Root root_{0, kNoParent};  // the first one with a curvature
  std::vector<Root> roots_;  // the others
};

}  // namespace bilevel::autodiff
