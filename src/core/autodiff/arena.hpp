// The memory of this thread's recording, reused from one evaluation to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bilevel/autodiff/tape.hpp"

namespace bilevel::autodiff {

/// A node with many parents.
struct WideNode {
  enum class Kind : std::uint8_t { sum, linear, copied_linear, product, gather, dead };
  Kind kind;
  std::int32_t first = 0, second = 0;     // first leaves of the two ranges (second: product only)
  Index count = 0;                        // leaves, or entries
  std::size_t offset = 0;                 // into `copies` (copied_linear) or `entries` (gather)
  const double* first_values = nullptr;   // product
  const double* second_values = nullptr;  // product; linear: the factors
  double scale = 0;  // gather: the rank-one part; in a linearization times the node's adjoint; product: the adjoint
};

/// What wide nodes refer to.
struct SideTable {
  std::vector<WideNode> nodes;
  std::vector<double> copies;
  std::vector<Entry> entries;
  std::size_t open_gather = 0;  // where the gather that is being filled starts

  const double* factors(const WideNode& node) const {
    return node.kind == WideNode::Kind::copied_linear ? copies.data() + node.offset : node.second_values;
  }
  void clear();
  std::size_t bytes() const;
};

template <int Order>
struct Arena {
  std::unique_ptr<Node<Order>[]> nodes;
  std::size_t capacity = 0;
  std::int32_t leaves = 0;
  SideTable wide;
  std::vector<double> adjoint;      // beyond the leaves it is all zero between sweeps
  std::vector<std::uint8_t> alive;  // see mark_alive

  std::size_t size() const { return static_cast<std::size_t>(recorder<Order>().next - nodes.get()); }
  /// Forgets the nodes, keeps the memory.
  void restart();
  /// Room for the adjoints of all nodes so far.
  double* prepare_adjoint();
  /// Which of the nodes so far the roots depend on: alive[k] for node k. A value that was computed but not used, such
  /// as the other side of a select, must not pass a 0 * infinity on.
  void mark_alive(const std::vector<std::int32_t>& roots);
};

template <int Order>
Arena<Order>& arena();

/// While it lives, this thread records. Throws Error if it records already.
template <int Order>
class Recording {
 public:
  Recording(const std::string& objective, Index leaves);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Arena<Order>& tape() { return tape_; }

 private:
  Arena<Order>& tape_;
};

/// Adds the adjoint z of a wide node, times its weights, to the adjoints of its parents.
void pass_on(const SideTable& wide, const WideNode& node, double z, double* adjoint);

/// Adds the derivatives of a first-order tape with respect to the leaves to adjoint[0 .. leaves), the adjoint of `root`
/// being `seed`; leaves the other adjoints zero.
void sweep_back(Arena<1>& tape, std::int32_t root, double seed);

}  // namespace bilevel::autodiff
