#include "sources/formula_expand.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "sources/formula_error.hpp"
#include "sources/formula_names.hpp"

namespace bilevel {

namespace {

constexpr double kWholeTolerance = 1e-9;
constexpr double kLargestIndex = 1e9;

class Expander {
 public:
  explicit Expander(const Syntax& syntax) : syntax_(syntax), indices_(syntax.index_slots) {
    size_.reserve(syntax.nodes.size());
    has_sum_.reserve(syntax.nodes.size());
    for (const SyntaxNode& node : syntax.nodes) {  // children come before their parents
      double size = 1;
      bool has_sum = node.kind == SyntaxKind::sum;
      for (const SyntaxChild& child : node.children) {
        size += size_[child.node];
        has_sum = has_sum || has_sum_[child.node];
      }
      size_.push_back(size);
      has_sum_.push_back(has_sum);
    }
  }

  ExpandedFormula expand() {
    count(syntax_.root);
    if (counted_ > kMostOperations) {
      const auto sum = std::find_if(syntax_.nodes.begin(), syntax_.nodes.end(),
                                    [](const SyntaxNode& node) { return node.kind == SyntaxKind::sum; });
      refuse_size(sum == syntax_.nodes.end() ? 0 : sum->offset, "");
    }
    const Form root = form(syntax_.root);
    result_.root = result_.graph.node_of(root);
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse_size(std::size_t offset, std::string_view at_least) const {
    throw FormulaMistake{
        offset, fmt::format("the formula makes {}{:.0f} operations, its sums written out; at most {:.0f} are allowed",
                            at_least, counted_, kMostOperations)};
  }

  // Adds the operations of `node` to counted_, without doing them: only bounds of sums are computed.
  void count(std::uint32_t number) {
    if (!has_sum_[number]) {
      counted_ += size_[number];
      return;
    }
    const SyntaxNode& node = syntax_[number];
    counted_ += 1;
    if (node.kind == SyntaxKind::choose) {
      const std::uint32_t condition = node.children[0].node;
      count(condition);
      check_effort(node.offset);
      if (counted_ > kMostOperations) refuse_size(node.offset, "more than ");
      if (const auto chosen = chosen_for_certain(node, form(condition))) return count(*chosen);
      count(node.children[1].node);
      count(node.children[2].node);
      return;
    }
    if (node.kind != SyntaxKind::sum) {
      for (const SyntaxChild& child : node.children) count(child.node);
      return;
    }
    for (const std::uint32_t bound : {node.children[0].node, node.children[1].node}) {
      count(bound);
      if (has_sum_[bound] && counted_ > kMostOperations) refuse_size(node.offset, "more than ");
    }
    check_effort(node.offset);
    const auto [from, to] = bounds(node);
    const std::uint32_t term = node.children[2].node;
    if (!has_sum_[term]) {
      counted_ += std::max(0.0, to - from + 1) * size_[term];
      return;
    }
    for (double i = from; i <= to; ++i) {
      indices_[node.slot] = i;
      count(term);
      check_effort(node.offset);
    }
  }

  // Counting must end too: each round of it has made at least one operation.
  void check_effort(std::size_t offset) {
    if (++rounds_ > kMostOperations || visits_ > kMostOperations) refuse_size(offset, "more than ");
  }

  std::pair<double, double> bounds(const SyntaxNode& sum) {
    const double from = whole_number(sum.children[0].node, "a bound of the sum over ", sum.name);
    return {from, whole_number(sum.children[1].node, "a bound of the sum over ", sum.name)};
  }

  double whole_number(std::uint32_t number, std::string_view what, std::string_view name) {
    const SyntaxNode& node = syntax_[number];
    double value = 0;
    if (node.kind == SyntaxKind::index) {
      value = indices_[node.slot];
    } else {
      const Form known = form(number);
      if (!known.is_constant()) {
        throw FormulaMistake{node.offset, fmt::format("{}{} must be known without x and y: it may use whole numbers, "
                                                      "indices of sums and parameters",
                                                      what, name)};
      }
      value = known.constant;
    }
    const double whole = std::round(value);
    if (!(std::abs(value - whole) <= kWholeTolerance)) {
      throw FormulaMistake{node.offset,
                           fmt::format("{}{} must be a whole number, but here it is {}", what, name, value)};
    }
    if (std::abs(whole) > kLargestIndex) {
      throw FormulaMistake{node.offset, fmt::format("{}{} must lie within +-{:.0f}, but here it is {}", what, name,
                                                    kLargestIndex, whole)};
    }
    return whole;
  }

  Form form(std::uint32_t number) {
    const SyntaxNode& node = syntax_[number];
    ++visits_;
    Form result = compute(node);
    if (!std::isfinite(result.constant)) {
      throw FormulaMistake{node.offset, fmt::format("this part is constant, but its value is {}",
                                                    std::isnan(result.constant) ? "not a number" : "infinite")};
    }
    return result;
  }

  Form compute(const SyntaxNode& node) {
    const auto child = [&](std::size_t i) { return form(node.children[i].node); };
    switch (node.kind) {
      case SyntaxKind::number: return {{}, node.number};
      case SyntaxKind::index: return {{}, indices_[node.slot]};
      case SyntaxKind::entry: return entry(node);
      case SyntaxKind::parameter: return parameter(node);
      case SyntaxKind::negate: return result_.graph.scaled(child(0), -1.0);
      case SyntaxKind::call: return call(node);
      case SyntaxKind::sum: return sum(node);
      case SyntaxKind::choose: return choose(node);
      case SyntaxKind::compare: return compare(node);
      case SyntaxKind::opposite: return opposite(child(0));
      case SyntaxKind::both:
      case SyntaxKind::either: return joined(node);
      case SyntaxKind::power: {
        Form base = child(0);
        return result_.graph.power(std::move(base), child(1));
      }
      case SyntaxKind::add: {
        Form total = child(0);
        for (std::size_t i = 1; i < node.children.size(); ++i) {
          Graph::add(total, child(i), node.children[i].inverse ? -1.0 : 1.0);
        }
        return total;
      }
      case SyntaxKind::multiply: break;
    }
    Form product = child(0);
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      Form factor = child(i);
      if (node.children[i].inverse && factor.is_constant() && factor.constant == 0.0) {
        throw FormulaMistake{syntax_[node.children[i].node].offset, "this divides by the constant 0"};
      }
      product = node.children[i].inverse ? result_.graph.quotient(std::move(product), std::move(factor))
                                         : result_.graph.product(std::move(product), std::move(factor));
    }
    return product;
  }

  Form entry(const SyntaxNode& node) {
    const double index = node.children.empty()
                             ? node.number
                             : whole_number(node.children[0].node, "an index of ", node.of_y ? "y" : "x");
    const std::size_t offset = node.children.empty() ? node.offset : syntax_[node.children[0].node].offset;
    const char letter = node.of_y ? 'y' : 'x';
    if (index < 1) {
      throw FormulaMistake{offset, fmt::format("entries of {} count from 1, but here the index is {}", letter, index)};
    }
    if (index > static_cast<double>(kLargestEntry)) {
      throw FormulaMistake{offset, fmt::format("the index {:.0f} of {} is too large: at most {} is allowed", index,
                                               letter, kLargestEntry)};
    }
    Index& largest = node.of_y ? result_.largest_y : result_.largest_x;
    largest = std::max(largest, static_cast<Index>(index));
    return result_.graph.leaf(node.of_y, static_cast<std::uint32_t>(index) - 1);
  }

  Form parameter(const SyntaxNode& node) {
    if (node.children.empty()) return {{}, node.values->front()};
    const std::uint32_t at = node.children[0].node;
    const double index = whole_number(at, "an index of ", node.name);
    if (index < 1 || index > static_cast<double>(node.values->size())) {
      throw FormulaMistake{syntax_[at].offset,
                           fmt::format("the parameter '{}' has the entries 1 to {}, but here the index is {}",
                                       node.name, node.values->size(), index)};
    }
    return {{}, (*node.values)[static_cast<std::size_t>(index) - 1]};
  }

  Form call(const SyntaxNode& node) {
    const Op op = functions()[node.slot].op;
    Form result = form(node.children[0].node);
    if (!is_extremum(op)) return result_.graph.apply(op, std::move(result));
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      result = result_.graph.choice(op, std::move(result), form(node.children[i].node));
    }
    return result;
  }

  /// 1 - a
  static Form opposite(const Form& a) {
    Form result{{}, 1.0};
    Graph::add(result, a, -1.0);
    return result;
  }

  // All conditions, as their product; one of them, as not all of their opposites. What the ones before decide alone
  // needs no others: y[i - 1] > 0 has no meaning for i = 1.
  Form joined(const SyntaxNode& node) {
    const bool is_both = node.kind == SyntaxKind::both;
    Form product{{}, 1.0};
    for (const SyntaxChild& child : node.children) {
      Form condition = form(child.node);
      if (!is_both) condition = opposite(condition);
      if (condition.is_constant()) {
        if (condition.constant != 0.0) continue;
        product = std::move(condition);
        break;
      }
      product = result_.graph.product(std::move(product), std::move(condition));
    }
    return is_both ? product : opposite(product);
  }

  Form compare(const SyntaxNode& node) {
    Form a = form(node.children[0].node), b = form(node.children[1].node);
    switch (static_cast<Relation>(node.slot)) {
      case Relation::less: return result_.graph.choice(Op::less, std::move(a), std::move(b));
      case Relation::at_most: return result_.graph.choice(Op::at_most, std::move(a), std::move(b));
      case Relation::more: return result_.graph.choice(Op::less, std::move(b), std::move(a));
      case Relation::at_least: return result_.graph.choice(Op::at_most, std::move(b), std::move(a));
      case Relation::equal:
      case Relation::unequal: break;
    }
    if (!a.is_constant() || !b.is_constant()) {
      throw FormulaMistake{node.offset,
                           "== and != compare indices and parameters only: what is computed from x and y is equal by "
                           "accident; write abs(a - b) < 0.001"};
    }
    const bool wants_equal = static_cast<Relation>(node.slot) == Relation::equal;
    return {{}, (a.constant == b.constant) == wants_equal ? 1.0 : 0.0};
  }

  /// The branch of a choice whose condition is known without x and y.
  static std::optional<std::uint32_t> chosen_for_certain(const SyntaxNode& choice, const Form& condition) {
    if (!condition.is_constant()) return std::nullopt;
    return choice.children[condition.constant != 0.0 ? 1 : 2].node;
  }

  Form choose(const SyntaxNode& node) {
    const Form condition = form(node.children[0].node);
    // The other branch may then hold what has no meaning here, as y[i - 1] for i = 1.
    if (const auto chosen = chosen_for_certain(node, condition)) return form(*chosen);
    Form result = result_.graph.choice(Op::provided, condition, form(node.children[1].node));
    Graph::add(result, result_.graph.choice(Op::provided, opposite(condition), form(node.children[2].node)), 1.0);
    return result;
  }

  Form sum(const SyntaxNode& node) {
    const auto [from, to] = bounds(node);
    Form total;
    for (double i = from; i <= to; ++i) {
      indices_[node.slot] = i;
      Graph::add(total, form(node.children[2].node), 1.0);
    }
    return total;
  }

  const Syntax& syntax_;
  std::vector<double> indices_;  // values of the sums' indices
  std::vector<double> size_;     // operations of each node, its sums once
  std::vector<bool> has_sum_;
  double counted_ = 0, rounds_ = 0, visits_ = 0;
  ExpandedFormula result_;
};

}  // namespace

ExpandedFormula expand(const Syntax& syntax) { return Expander(syntax).expand(); }

}  // namespace bilevel
