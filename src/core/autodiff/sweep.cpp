// One pass back over a first-order tape.
#include <cmath>

#include "core/autodiff/arena.hpp"

namespace bilevel::autodiff {

void pass_on(const SideTable& wide, const WideNode& node, double z, double* adjoint) {
  switch (node.kind) {
    case WideNode::Kind::sum:
      for (Index i = 0; i < node.count; ++i) adjoint[node.first + i] += z;
      return;
    case WideNode::Kind::linear:
    case WideNode::Kind::copied_linear:
      contiguous_axpy(z, wide.factors(node), adjoint + node.first, node.count);
      return;
    case WideNode::Kind::product:
      contiguous_axpy(z, node.second_values, adjoint + node.first, node.count);
      contiguous_axpy(z, node.first_values, adjoint + node.second, node.count);
      return;
    case WideNode::Kind::gather: {
      const Entry* entries = wide.entries.data() + node.offset;
      for (Index i = 0; i < node.count; ++i) adjoint[entries[i].parent] += z * entries[i].weight;
      return;
    }
    case WideNode::Kind::dead: return;
  }
}

void sweep_back(Arena<1>& tape, std::int32_t root, double seed) {
  double* adjoint = tape.prepare_adjoint();
  adjoint[root] += seed;
  bool alive_known = false;
  const auto is_alive = [&](std::size_t k) {
    if (!alive_known) tape.mark_alive({root});
    alive_known = true;
    return tape.alive[k] != 0;
  };
  const Node<1>* nodes = tape.nodes.get();
  for (std::size_t k = tape.size(); k-- > 0;) {
    double& slot = adjoint[static_cast<std::size_t>(tape.leaves) + k];
    const double z = slot;
    slot = 0.0;
    const Node<1>& node = nodes[k];
    if (node.parent[0] < 0) [[unlikely]] {
      if (z == 0.0 && !is_alive(k)) continue;
      pass_on(tape.wide, tape.wide.nodes[static_cast<std::size_t>(node.parent[1])], z, adjoint);
      continue;
    }
    if (z == 0.0) {
      if (std::isfinite(node.weight[0]) && std::isfinite(node.weight[1])) continue;
      if (!is_alive(k)) continue;
    }
    adjoint[node.parent[0]] += node.weight[0] * z;
    adjoint[node.parent[1]] += node.weight[1] * z;
  }
}

}  // namespace bilevel::autodiff
