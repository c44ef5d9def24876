// What a derivative evaluation records. Users meet Jet and View; this is what they are made of.
//
// Leaves are x (indices 0..n-1) then y (n..n+m-1) and are not stored. Every further node has two parents, or is "wide"
// (many parents: a dot product over contiguous leaves, a sum of many values) and then lies in a side table.
#pragma once

#include <cstdint>

#include "bilevel/vec.hpp"

namespace bilevel::autodiff {

/// Parent of a value that depends on nothing.
inline constexpr std::int32_t kNoParent = -1;

/// z(p, q) with its local derivatives; Order 1 keeps the gradient, Order 2 the Hessian too.
template <int Order>
struct Node;

template <>
struct Node<1> {
  double weight[2];  // z_p, z_q
  std::int32_t
      parent[2];  // p, q; parent[0] = kNoParent marks a wide node, then parent[1] is its place in the side table
};

template <>
struct Node<2> {
  double weight[2];
  double curvature[3];  // z_pp, z_pq, z_qq; in a linearization multiplied by the node's adjoint
  std::int32_t parent[2];
};

/// One parent of a gathered sum.
struct Entry {
  double weight;     // z_p
  double curvature;  // z_pp
  std::int32_t parent;
};

/// Where this thread's next node goes. Trivial, so that reaching it costs one instruction.
template <int Order>
struct Recorder {
  Node<Order>* next = nullptr;
  Node<Order>* end = nullptr;
  std::int32_t index = 0;  // of the next node
};
extern constinit thread_local Recorder<1> first_order_recorder;
extern constinit thread_local Recorder<2> second_order_recorder;

template <int Order>
Recorder<Order>& recorder() {
  if constexpr (Order == 1) {
    return first_order_recorder;
  } else {
    return second_order_recorder;
  }
}

/// Makes room for nodes. Throws Error if this thread records nothing now: a Jet left its lambda or its thread.
template <int Order>
void grow();

template <int Order>
inline std::int32_t push(const Node<Order>& node) {
  auto& place = recorder<Order>();
  if (place.next == place.end) [[unlikely]] {
    grow<Order>();
  }
  *place.next++ = node;
  return place.index++;
}

/// z = sum_i factors[i] leaf[first + i]; factors = nullptr stands for ones. With `copy` the factors may die at once,
/// else they must live as long as the objective.
template <int Order>
std::int32_t push_linear(const double* factors, bool copy, std::int32_t first, Index count);

/// z = sum_i leaf[first + i] leaf[second + i], whose values stand at first_values and second_values.
template <int Order>
std::int32_t push_product(std::int32_t first, const double* first_values, std::int32_t second,
                          const double* second_values, Index count);

/// Room for `count` entries; fill the first k <= count, then call push_gather(k, ...) before any other gather.
template <int Order>
Entry* gather_room(Index count);

/// z whose Hessian in its parents is diag(curvature) - rank_one * weight weight'.
template <int Order>
std::int32_t push_gather(Index count, double rank_one);

/// a'b and target += scale * a over contiguous memory.
double contiguous_dot(const double* a, const double* b, Index count);
double contiguous_sum(const double* a, Index count);
void contiguous_axpy(double scale, const double* a, double* target, Index count);

}  // namespace bilevel::autodiff
