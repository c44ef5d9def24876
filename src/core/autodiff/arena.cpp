#include "core/autodiff/arena.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel::autodiff {

constinit thread_local Recorder<1> first_order_recorder;
constinit thread_local Recorder<2> second_order_recorder;

namespace {

// Beyond this a thread gives its memory back after an evaluation.
constexpr std::size_t kKeptBytes = std::size_t{64} << 20;

constinit thread_local const std::string* recording_objective = nullptr;

void require_recording() {
  if (recording_objective == nullptr) {
    throw Error(
        "an autodiff number was used outside the call of its lambda: it must not be kept after the call, nor be used "
        "on "
        "another thread");
  }
}

template <int Order>
std::int32_t push_wide(WideNode wide) {
  auto& nodes = arena<Order>().wide.nodes;
  Node<Order> node{};
  node.parent[0] = kNoParent;
  node.parent[1] = static_cast<std::int32_t>(nodes.size());
  nodes.push_back(wide);
  return push(node);
}

}  // namespace

void SideTable::clear() {
  nodes.clear();
  copies.clear();
  entries.clear();
}

std::size_t SideTable::bytes() const {
  return nodes.size() * sizeof(WideNode) + copies.size() * sizeof(double) + entries.size() * sizeof(Entry);
}

template <int Order>
Arena<Order>& arena() {
  static thread_local Arena<Order> instance;
  return instance;
}

template <int Order>
void grow() {
  require_recording();
  auto& tape = arena<Order>();
  const std::size_t used = tape.size();
  const std::size_t capacity = std::max<std::size_t>(256, 2 * tape.capacity);
  if (capacity > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() - tape.leaves)) {
    throw Error(fmt::format("recording objective '{}' needs more than 2^31 nodes: use batches", *recording_objective));
  }
  auto larger = std::make_unique_for_overwrite<Node<Order>[]>(capacity);
  std::copy_n(tape.nodes.get(), used, larger.get());
  tape.nodes = std::move(larger);
  tape.capacity = capacity;
  recorder<Order>().next = tape.nodes.get() + used;
  recorder<Order>().end = tape.nodes.get() + capacity;
}

template <int Order>
std::int32_t push_linear(const double* factors, bool copy, std::int32_t first, Index count) {
  require_recording();
  auto& wide = arena<Order>().wide;
  WideNode node{.kind = factors == nullptr ? WideNode::Kind::sum : WideNode::Kind::linear,
                .first = first,
                .count = count,
                .second_values = factors};
  if (factors != nullptr && copy) {
    node.kind = WideNode::Kind::copied_linear;
    node.offset = wide.copies.size();
    node.second_values = nullptr;
    wide.copies.insert(wide.copies.end(), factors, factors + count);
  }
  return push_wide<Order>(node);
}

template <int Order>
std::int32_t push_product(std::int32_t first, const double* first_values, std::int32_t second,
                          const double* second_values, Index count) {
  require_recording();
  return push_wide<Order>({.kind = WideNode::Kind::product,
                           .first = first,
                           .second = second,
                           .count = count,
                           .first_values = first_values,
                           .second_values = second_values});
}

template <int Order>
Entry* gather_room(Index count) {
  require_recording();
  auto& wide = arena<Order>().wide;
  wide.open_gather = wide.entries.size();
  wide.entries.resize(wide.open_gather + static_cast<std::size_t>(count));
  return wide.entries.data() + wide.open_gather;
}

template <int Order>
std::int32_t push_gather(Index count, double rank_one) {
  auto& wide = arena<Order>().wide;
  wide.entries.resize(wide.open_gather + static_cast<std::size_t>(count));
  return push_wide<Order>(
      {.kind = WideNode::Kind::gather, .count = count, .offset = wide.open_gather, .scale = rank_one});
}

template <int Order>
void Arena<Order>::restart() {
  auto& place = recorder<Order>();
  place.next = nodes.get();
  place.end = nodes.get() + capacity;
  place.index = leaves;
  wide.clear();
}

template <int Order>
double* Arena<Order>::prepare_adjoint() {
  const std::size_t needed = static_cast<std::size_t>(leaves) + size();
  if (adjoint.size() < needed) adjoint.resize(needed, 0.0);
  return adjoint.data();
}

template <int Order>
void Arena<Order>::mark_alive(const std::vector<std::int32_t>& roots) {
  alive.assign(size(), 0);
  const auto mark = [this](std::int32_t parent) {
    if (parent >= leaves) alive[static_cast<std::size_t>(parent - leaves)] = 1;
  };
  for (const auto root : roots) mark(root);
  for (std::size_t k = alive.size(); k-- > 0;) {
    if (alive[k] == 0) continue;
    const auto& node = nodes[k];
    if (node.parent[0] >= 0) {
      mark(node.parent[0]);
      mark(node.parent[1]);
      continue;
    }
    const auto& many = wide.nodes[static_cast<std::size_t>(node.parent[1])];
    if (many.kind != WideNode::Kind::gather) continue;
    for (Index i = 0; i < many.count; ++i) mark(wide.entries[many.offset + static_cast<std::size_t>(i)].parent);
  }
}

template <int Order>
Recording<Order>::Recording(const std::string& objective, Index leaves) : tape_(arena<Order>()) {
  if (recording_objective != nullptr) {
    throw Error(
        fmt::format("derivatives of objective '{}' were asked for inside the lambda of objective '{}', whose "
                    "derivatives would miss "
                    "them: compute them before, or write both as one lambda",
                    objective, *recording_objective));
  }
  if (leaves > std::numeric_limits<std::int32_t>::max() / 2) {
    throw DimensionMismatch(
        fmt::format("objective '{}' has {} variables, but autodiff allows 2^30", objective, leaves));
  }
  recording_objective = &objective;
  tape_.leaves = static_cast<std::int32_t>(leaves);
  tape_.restart();
  if (tape_.adjoint.size() < static_cast<std::size_t>(leaves)) tape_.adjoint.resize(static_cast<std::size_t>(leaves));
  std::fill_n(tape_.adjoint.begin(), leaves, 0.0);
}

template <int Order>
Recording<Order>::~Recording() {
  // Another objective's nodes may start where this one's leaves are.
  std::fill_n(tape_.adjoint.begin(), tape_.leaves, 0.0);
  recorder<Order>() = {};
  recording_objective = nullptr;
  const std::size_t bytes = tape_.capacity * sizeof(Node<Order>) + tape_.wide.bytes();
  if (bytes > kKeptBytes) tape_ = {};
}

template Arena<1>& arena();
template Arena<2>& arena();
template void grow<1>();
template void grow<2>();
template std::int32_t push_linear<1>(const double*, bool, std::int32_t, Index);
template std::int32_t push_linear<2>(const double*, bool, std::int32_t, Index);
template std::int32_t push_product<1>(std::int32_t, const double*, std::int32_t, const double*, Index);
template std::int32_t push_product<2>(std::int32_t, const double*, std::int32_t, const double*, Index);
template Entry* gather_room<1>(Index);
template Entry* gather_room<2>(Index);
template std::int32_t push_gather<1>(Index, double);
template std::int32_t push_gather<2>(Index, double);
template struct Arena<1>;
template struct Arena<2>;
template class Recording<1>;
template class Recording<2>;

}  // namespace bilevel::autodiff
