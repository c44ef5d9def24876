#include "core/autodiff/tape_linearization.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel::autodiff {

namespace {

bool all_finite(const Node<2>& node) {
  return std::isfinite(node.weight[0]) && std::isfinite(node.weight[1]) && std::isfinite(node.curvature[0]) &&
         std::isfinite(node.curvature[1]) && std::isfinite(node.curvature[2]);
}

Vec to_vec(const double* data, Index size) { return Eigen::Map<const Vec>(data, size); }

}  // namespace

TapeLinearization::TapeLinearization(const Vec& x, const Vec& y)
    : dim_x_(x.size()), dim_y_(y.size()), leaves_(few_leaves_.data()) {
  if (dim_x_ + dim_y_ > kFewLeaves) {
    many_leaves_ = std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(dim_x_ + dim_y_));
    leaves_ = many_leaves_.get();
  }
  std::copy_n(x.data(), dim_x_, leaves_);
  std::copy_n(y.data(), dim_y_, leaves_ + dim_x_);
}

const double* TapeLinearization::take(Arena<2>& tape, std::span<const Jet<2>> roots, double weight) {
  size_ = tape.size();
  if (size_ > 0) nodes_ = std::make_unique_for_overwrite<Node<2>[]>(size_);
  wide_.nodes = tape.wide.nodes;
  wide_.copies = tape.wide.copies;
  wide_.entries = tape.wide.entries;

  double* adjoint = tape.prepare_adjoint();
  if (roots.size() > 1) roots_.reserve(roots.size() - 1);
  for (const auto& root : roots) {
    const auto& d = root.derivatives();
    adjoint[d.parent] += weight * d.first;
    if (d.second == 0.0) continue;
    const Root bent{weight * d.second, d.parent};
    if (root_.parent == kNoParent) {
      root_ = bent;
    } else {
      roots_.push_back(bent);
    }
  }
  bool alive_known = false;
  const auto is_alive = [&](std::size_t k) {
    if (!alive_known) {
      std::vector<std::int32_t> parents(roots.size());
      std::ranges::transform(roots, parents.begin(), [](const Jet<2>& root) { return root.derivatives().parent; });
      tape.mark_alive(parents);
      alive_known = true;
    }
    return tape.alive[k] != 0;
  };

  for (std::size_t k = size_; k-- > 0;) {
    double& slot = adjoint[static_cast<std::size_t>(tape.leaves) + k];
    const double z = slot;
    slot = 0.0;
    Node<2>& node = nodes_[k];
    node = tape.nodes[k];
    if (node.parent[0] < 0) [[unlikely]] {
      WideNode& wide = wide_.nodes[static_cast<std::size_t>(node.parent[1])];
      if (z == 0.0 && !is_alive(k)) {
        wide.kind = WideNode::Kind::dead;
        continue;
      }
      Entry* entries = wide_.entries.data() + wide.offset;
      if (wide.kind == WideNode::Kind::gather) {
        for (Index i = 0; i < wide.count; ++i) entries[i].curvature *= z;
      }
      // A product's and a gather's second-order part needs the adjoint; nothing else does.
      wide.scale = wide.kind == WideNode::Kind::gather ? wide.scale * z : z;
      pass_on(wide_, wide, z, adjoint);
      continue;
    }
    if (z == 0.0 && !all_finite(node) && !is_alive(k)) {
      std::fill_n(node.weight, 2, 0.0);
      std::fill_n(node.curvature, 3, 0.0);
      continue;
    }
    adjoint[node.parent[0]] += node.weight[0] * z;
    adjoint[node.parent[1]] += node.weight[1] * z;
    for (double& curvature : node.curvature) curvature *= z;
  }
  return adjoint;
}

double TapeLinearization::forward_wide(const WideNode& node, const double* tangent) const {
  switch (node.kind) {
    case WideNode::Kind::sum: return contiguous_sum(tangent + node.first, node.count);
    case WideNode::Kind::linear:
    case WideNode::Kind::copied_linear: return contiguous_dot(wide_.factors(node), tangent + node.first, node.count);
    case WideNode::Kind::product:
      return contiguous_dot(node.second_values, tangent + node.first, node.count) +
             contiguous_dot(node.first_values, tangent + node.second, node.count);
    case WideNode::Kind::gather: {
      const Entry* entries = wide_.entries.data() + node.offset;
      double total = 0;
      for (Index i = 0; i < node.count; ++i) total += entries[i].weight * tangent[entries[i].parent];
      return total;
    }
    case WideNode::Kind::dead: break;
  }
  return 0.0;
}

void TapeLinearization::forward(double* tangent) const {
  double* own = tangent + dim_x_ + dim_y_;
  for (std::size_t k = 0; k < size_; ++k) {
    const Node<2>& node = nodes_[k];
    if (node.parent[0] < 0) [[unlikely]] {
      own[k] = forward_wide(wide_.nodes[static_cast<std::size_t>(node.parent[1])], tangent);
    } else {
      own[k] = node.weight[0] * tangent[node.parent[0]] + node.weight[1] * tangent[node.parent[1]];
    }
  }
}

// The second-order part of what a wide node passes on.
void TapeLinearization::back_wide(const WideNode& node, double own_tangent, const double* tangent,
                                  double* adjoint) const {
  if (node.kind == WideNode::Kind::product) {
    contiguous_axpy(node.scale, tangent + node.second, adjoint + node.first, node.count);
    contiguous_axpy(node.scale, tangent + node.first, adjoint + node.second, node.count);
  } else if (node.kind == WideNode::Kind::gather) {
    const Entry* entries = wide_.entries.data() + node.offset;
    for (Index i = 0; i < node.count; ++i) {
      adjoint[entries[i].parent] += entries[i].curvature * tangent[entries[i].parent];
    }
    if (node.scale == 0.0) return;
    for (Index i = 0; i < node.count; ++i) {
      adjoint[entries[i].parent] -= node.scale * own_tangent * entries[i].weight;
    }
  }
}

void TapeLinearization::back(const double* tangent, double* adjoint) const {
  if (root_.parent != kNoParent) adjoint[root_.parent] += root_.curvature * tangent[root_.parent];
  for (const auto& root : roots_) adjoint[root.parent] += root.curvature * tangent[root.parent];
  const Index leaves = dim_x_ + dim_y_;
  for (std::size_t k = size_; k-- > 0;) {
    const Node<2>& node = nodes_[k];
    const double z = adjoint[static_cast<std::size_t>(leaves) + k];
    if (node.parent[0] < 0) [[unlikely]] {
      const WideNode& wide = wide_.nodes[static_cast<std::size_t>(node.parent[1])];
      if (wide.kind == WideNode::Kind::dead) continue;
      pass_on(wide_, wide, z, adjoint);
      back_wide(wide, tangent[static_cast<std::size_t>(leaves) + k], tangent, adjoint);
      continue;
    }
    const std::int32_t p = node.parent[0], q = node.parent[1];
    adjoint[p] += node.weight[0] * z + node.curvature[0] * tangent[p] + node.curvature[1] * tangent[q];
    adjoint[q] += node.weight[1] * z + node.curvature[1] * tangent[p] + node.curvature[2] * tangent[q];
  }
}

const double* TapeLinearization::sweep(Index seed_start, const Vec& seed) const {
  static thread_local std::vector<double> scratch;
  const Index leaves = dim_x_ + dim_y_;
  const std::size_t length = static_cast<std::size_t>(leaves) + size_;
  if (scratch.size() < 2 * length) scratch.resize(2 * length);
  double* tangent = scratch.data();
  double* adjoint = tangent + length;
  std::fill_n(tangent, leaves, 0.0);
  std::copy_n(seed.data(), seed.size(), tangent + seed_start);
  std::fill_n(adjoint, length, 0.0);
  forward(tangent);
  back(tangent, adjoint);
  return adjoint;
}

Vec TapeLinearization::hess_yy(const Vec& v) const { return to_vec(sweep(dim_x_, v) + dim_x_, dim_y_); }
Vec TapeLinearization::hess_xy(const Vec& v) const { return to_vec(sweep(dim_x_, v), dim_x_); }
Vec TapeLinearization::hess_yx(const Vec& u) const { return to_vec(sweep(0, u) + dim_x_, dim_y_); }

Products TapeLinearization::both(const Vec& v) const {
  const double* adjoint = sweep(dim_x_, v);
  return {to_vec(adjoint + dim_x_, dim_y_), to_vec(adjoint, dim_x_)};
}

std::size_t TapeLinearization::tape_bytes() const {
  return size_ * sizeof(Node<2>) + wide_.bytes() + (1 + roots_.size()) * sizeof(Root);
}

}  // namespace bilevel::autodiff
