#include <algorithm>
#include <bit>
#include <numeric>
#include <span>
#include <tuple>

#include "sources/formula_program.hpp"

namespace bilevel {

namespace {

// Rows up to this long, at least this many of them, are computed column by column.
constexpr std::size_t kLongestColumns = 4, kFewestByColumns = 8;

class Scheduler {
 public:
  explicit Scheduler(const ExpandedFormula& formula)
      : graph_(formula.graph), nodes_(formula.graph.nodes()), slot_(nodes_.size()) {
    program_.largest_x = formula.largest_x;
    program_.largest_y = formula.largest_y;
    find_needed(formula.root);
    place_leaves();
    const auto order = execution_order();
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
      while (last < order.size() && key(order[last]) == key(order[first])) ++last;
      add_instruction({order.data() + first, last - first});
    }
    program_.root = slot_[formula.root];
  }
  Formula::Program take() { return std::move(program_); }

 private:
  using Group = std::span<const std::uint32_t>;

  template <class Visit>
  void visit_operands(const GraphNode& node, const Visit& visit) const {
    if (node.op == Op::affine) {
      const Term* terms = graph_.terms(node);
      for (std::uint32_t i = 0; i < node.b; ++i) visit(terms[i].node);
    } else if (node.level > 0) {
      visit(node.a);
      if (has_two_operands(node.op)) visit(node.b);
    }
  }

  static bool has_two_operands(Op op) { return op == Op::product || is_binary_function(op); }

  void find_needed(std::uint32_t root) {
    needed_.assign(nodes_.size(), false);
    needed_[root] = true;
    for (std::size_t i = nodes_.size(); i-- > 0;) {
      if (needed_[i]) visit_operands(nodes_[i], [&](std::uint32_t operand) { needed_[operand] = true; });
    }
  }

  void place_leaves() {
    program_.slots = program_.first_constant();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!needed_[i] || nodes_[i].level > 0) continue;
      const GraphNode& leaf = nodes_[i];
      if (leaf.op == Op::constant) {
        slot_[i] = static_cast<std::uint32_t>(program_.slots++);
        program_.constants.push_back(leaf.parameter);
      } else {
        slot_[i] = leaf.a + (leaf.op == Op::leaf_y ? static_cast<std::uint32_t>(program_.largest_x) : 0u);
      }
    }
  }

  // Nodes with equal keys become one instruction.
  std::tuple<std::uint32_t, Op, std::uint32_t, std::uint64_t> key(std::uint32_t i) const {
    const GraphNode& node = nodes_[i];
    const bool is_row = node.op == Op::affine;
    return {node.level, node.op, is_row ? node.b : 0u, is_row ? 0u : std::bit_cast<std::uint64_t>(node.parameter)};
  }

  std::vector<std::uint32_t> execution_order() const {
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      if (needed_[i] && nodes_[i].level > 0) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
    return order;
  }

  void add_instruction(Group group) {
    const GraphNode& node = nodes_[group.front()];
    Instruction instruction{.op = node.op, .count = group.size(), .out = program_.slots};
    for (const std::uint32_t member : group) slot_[member] = static_cast<std::uint32_t>(program_.slots++);
    if (node.op == Op::affine) {
      add_rows(instruction, group, node.b);
    } else {
      instruction.parameter = node.parameter;
      instruction.a = operands(group, [&](std::uint32_t i) { return slot_[nodes_[i].a]; });
      if (has_two_operands(node.op))
        instruction.b = operands(group, [&](std::uint32_t i) { return slot_[nodes_[i].b]; });
      instruction.partials = program_.partials;
      program_.partials += group.size() * (is_binary_function(node.op) ? 5 : is_unary_function(node.op) ? 2 : 0);
      program_.has_choices = program_.has_choices || is_choice(node.op);
    }
    program_.instructions.push_back(instruction);
  }

  void add_rows(Instruction& instruction, Group group, std::size_t length) {
    instruction.length = length;
    instruction.coefficients = program_.coefficients.size();
    instruction.by_columns = length <= kLongestColumns && group.size() >= kFewestByColumns;
    instruction.column = program_.columns.size();
    instruction.list = program_.lists.size();
    const auto term = [&](std::uint32_t i, std::size_t t) { return graph_.terms(nodes_[i])[t]; };
    for (const std::uint32_t i : group) program_.coefficients.push_back(nodes_[i].parameter);
    if (instruction.by_columns) {
      for (std::size_t t = 0; t < length; ++t) {
        for (const std::uint32_t i : group) program_.coefficients.push_back(term(i, t).coefficient);
        program_.columns.push_back(operands(group, [&](std::uint32_t i) { return slot_[term(i, t).node]; }));
      }
      return;
    }
    for (const std::uint32_t i : group) {
      for (std::size_t t = 0; t < length; ++t) {
        program_.coefficients.push_back(term(i, t).coefficient);
        program_.lists.push_back(slot_[term(i, t).node]);
      }
    }
  }

  template <class SlotOf>
  OperandSlots operands(Group group, const SlotOf& slot_of) {
    const std::size_t first = slot_of(group.front());
    bool is_run = true, is_same = true;
    for (std::size_t k = 0; k < group.size(); ++k) {
      const std::size_t slot = slot_of(group[k]);
      is_run = is_run && slot == first + k;
      is_same = is_same && slot == first;
    }
    if (is_run) return {OperandSlots::Kind::run, first};
    if (is_same) return {OperandSlots::Kind::same, first};
    const std::size_t start = program_.lists.size();
    for (const std::uint32_t i : group) program_.lists.push_back(slot_of(i));
    return {OperandSlots::Kind::list, start};
  }

  const Graph& graph_;
  const std::vector<GraphNode>& nodes_;
  std::vector<bool> needed_;
  std::vector<std::uint32_t> slot_;
  Formula::Program program_;
};

}  // namespace

Formula::Program schedule(const ExpandedFormula& formula) { return Scheduler(formula).take(); }

}  // namespace bilevel
