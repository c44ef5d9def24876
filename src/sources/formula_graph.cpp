#include "sources/formula_graph.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

namespace bilevel {

namespace {

// Whether a product of constants may be taken before the variable comes in: it neither overflows nor loses digits.
bool keeps_digits(double product, double a, double b) { return std::isnormal(product) || a == 0.0 || b == 0.0; }

bool is_whole(double number) { return std::floor(number) == number; }

Form number(double value) { return {{}, value}; }
Form single(std::uint32_t node, double coefficient = 1.0) { return {{{node, coefficient}}, 0.0}; }

}  // namespace

Form Graph::leaf(bool of_y, std::uint32_t index) {
  return single(intern({.op = of_y ? Op::leaf_y : Op::leaf_x, .a = index}));
}

void Graph::add(Form& to, const Form& form, double sign) {
  for (const Term& term : form.terms) to.terms.push_back({term.node, sign * term.coefficient});
  to.constant += sign * form.constant;
}

Form Graph::scaled(Form form, double factor) {
  const bool keeps = std::all_of(form.terms.begin(), form.terms.end(), [&](const Term& term) {
    return keeps_digits(term.coefficient * factor, term.coefficient, factor);
  });
  if (!form.is_constant() && (!keeps || !keeps_digits(form.constant * factor, form.constant, factor))) {
    return single(node_of(std::move(form)), factor);
  }
  for (Term& term : form.terms) term.coefficient *= factor;
  form.constant *= factor;
  return form;
}

// The form as coefficient * node.
Term Graph::factored(Form form) {
  if (form.terms.size() == 1 && form.constant == 0.0) return form.terms.front();
  return {node_of(std::move(form)), 1.0};
}

Form Graph::product(Form a, Form b) {
  if (a.is_constant()) return scaled(std::move(b), a.constant);
  if (b.is_constant()) return scaled(std::move(a), b.constant);
  Term left = factored(std::move(a)), right = factored(std::move(b));
  if (left.node == right.node) {
    const double factor = left.coefficient * right.coefficient;
    if (keeps_digits(factor, left.coefficient, right.coefficient)) return scaled(unary(Op::square, left.node), factor);
  }
  if (comes_before(right.node, left.node)) std::swap(left, right);
  if (keeps_digits(left.coefficient * right.coefficient, left.coefficient, right.coefficient)) {
    return scaled(binary(Op::product, left.node, right.node), left.coefficient * right.coefficient);
  }
  return binary(Op::product, node_of(single(left.node, left.coefficient)),
                node_of(single(right.node, right.coefficient)));
}

Form Graph::quotient(Form a, Form b) {
  if (a.is_constant() && b.is_constant()) return number(a.constant / b.constant);
  if (b.is_constant()) {
    const double inverse = 1.0 / b.constant;
    if (std::isnormal(inverse)) return scaled(std::move(a), inverse);
    return binary(Op::quotient, node_of(std::move(a)), node_of(std::move(b)));
  }
  if (a.is_constant()) return scaled(unary(Op::reciprocal, node_of(std::move(b))), a.constant);
  const Term above = factored(std::move(a)), below = factored(std::move(b));
  const double factor = above.coefficient / below.coefficient;
  if (std::isnormal(factor)) return scaled(binary(Op::quotient, above.node, below.node), factor);
  return binary(Op::quotient, node_of(single(above.node, above.coefficient)),
                node_of(single(below.node, below.coefficient)));
}

Form Graph::square(Form a) {
  if (a.is_constant()) return number(a.constant * a.constant);
  const Term term = factored(std::move(a));
  const double factor = term.coefficient * term.coefficient;
  if (keeps_digits(factor, term.coefficient, term.coefficient)) return scaled(unary(Op::square, term.node), factor);
  return unary(Op::square, node_of(single(term.node, term.coefficient)));
}

Form Graph::power(Form base, Form exponent) {
  if (exponent.is_constant()) {
    const double p = exponent.constant;
    if (base.is_constant()) return number(is_whole(p) ? whole_power(base.constant, p) : std::pow(base.constant, p));
    if (p == 0.0) return number(1.0);
    if (p == 1.0) return base;
    if (p == 2.0) return square(std::move(base));
    if (p == -1.0) return unary(Op::reciprocal, node_of(std::move(base)));
    return unary(is_whole(p) ? Op::whole_power : Op::fixed_power, node_of(std::move(base)), p);
  }
  if (!base.is_constant()) {
    const std::uint32_t below = node_of(std::move(base));
    return binary(Op::free_power, below, node_of(std::move(exponent)));
  }
  if (base.constant == std::numbers::e) return unary(Op::exponential, node_of(std::move(exponent)));
  return unary(Op::fixed_base, node_of(std::move(exponent)), base.constant);
}

Form Graph::apply(Op op, Form a) {
  if (op == Op::square) return square(std::move(a));
  if (a.is_constant()) {
    return number(with_unary(op, [&]<Op kOp>() { return slopes<kOp, 0>(a.constant, 0.0).value; }));
  }
  return unary(op, node_of(std::move(a)));
}

Form Graph::choice(Op op, Form a, Form b) {
  if (a.is_constant() && b.is_constant()) {
    return number(with_binary(op, [&]<Op kOp>() { return binary_slopes<kOp, 0>(a.constant, b.constant).value; }));
  }
  const std::uint32_t first = node_of(std::move(a)), second = node_of(std::move(b));
  return is_extremum(op) && first == second ? single(first) : binary(op, first, second);
}

std::uint32_t Graph::node_of(Form form) {
  if (form.is_constant()) return intern({.op = Op::constant, .parameter = form.constant});
  simplify(form.terms);
  if (form.terms.size() == 1 && form.constant == 0.0 && form.terms.front().coefficient == 1.0) {
    return form.terms.front().node;
  }
  GraphNode row{.op = Op::affine,
                .a = static_cast<std::uint32_t>(terms_.size()),
                .b = static_cast<std::uint32_t>(form.terms.size()),
                .parameter = form.constant};
  for (const Term& term : form.terms) row.level = std::max(row.level, nodes_[term.node].level + 1);
  terms_.insert(terms_.end(), form.terms.begin(), form.terms.end());
  const std::uint32_t node = intern(row);
  if (nodes_[node].a != row.a) terms_.resize(row.a);  // it was there already
  return node;
}

Form Graph::unary(Op op, std::uint32_t a, double parameter) {
  return single(intern({.op = op, .level = nodes_[a].level + 1, .a = a, .parameter = parameter}));
}

Form Graph::binary(Op op, std::uint32_t a, std::uint32_t b) {
  return single(intern({.op = op, .level = std::max(nodes_[a].level, nodes_[b].level) + 1, .a = a, .b = b}));
}

// An order in which the operands of similar terms stand at the same places: numbers that are computed together then
// lie one after the other.
bool Graph::comes_before(std::uint32_t a, std::uint32_t b) const {
  const GraphNode &left = nodes_[a], &right = nodes_[b];
  if (left.level != right.level) return left.level < right.level;
  if (left.op != right.op) return left.op < right.op;
  const bool are_leaves = left.level == 0;
  if (are_leaves && left.a != right.a) return left.a < right.a;
  return a < b;
}

void Graph::simplify(std::vector<Term>& terms) const {
  if (terms.size() < 2) return;
  std::stable_sort(terms.begin(), terms.end(),
                   [this](const Term& a, const Term& b) { return comes_before(a.node, b.node); });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < terms.size(); ++i) {
    // A term of coefficient 0 stays: 0 * log(y) has no value where log(y) has none.
    const double total = terms[kept].coefficient + terms[i].coefficient;
    if (terms[i].node == terms[kept].node && std::isfinite(total)) {
      terms[kept].coefficient = total;
    } else {
      terms[++kept] = terms[i];
    }
  }
  terms.resize(kept + 1);
}

std::size_t Graph::hash(const GraphNode& node) const {
  const auto mix = [](std::uint64_t state, std::uint64_t word) {
    state = (state ^ word) * 0x9E3779B97F4A7C15u;
    return state ^ (state >> 29);
  };
  std::uint64_t state = mix(static_cast<std::uint64_t>(node.op), std::bit_cast<std::uint64_t>(node.parameter));
  if (node.op != Op::affine) return mix(mix(state, node.a), node.b);
  for (std::uint32_t i = 0; i < node.b; ++i) {
    const Term& term = terms_[node.a + i];
    state = mix(mix(state, term.node), std::bit_cast<std::uint64_t>(term.coefficient));
  }
  return state;
}

bool Graph::equal(const GraphNode& a, const GraphNode& b) const {
  // Bits, not values: 0 and -0 are different constants.
  if (a.op != b.op || std::bit_cast<std::uint64_t>(a.parameter) != std::bit_cast<std::uint64_t>(b.parameter) ||
      a.b != b.b) {
    return false;
  }
  if (a.op != Op::affine) return a.a == b.a;
  return std::equal(terms(a), terms(a) + a.b, terms(b), [](const Term& left, const Term& right) {
    return left.node == right.node &&
           std::bit_cast<std::uint64_t>(left.coefficient) == std::bit_cast<std::uint64_t>(right.coefficient);
  });
}

std::uint32_t Graph::intern(const GraphNode& node) {
  if (2 * (nodes_.size() + 1) > table_.size()) grow_table();
  const std::size_t mask = table_.size() - 1;
  for (std::size_t slot = hash(node) & mask;; slot = (slot + 1) & mask) {
    if (table_[slot] == 0) {
      nodes_.push_back(node);
      table_[slot] = static_cast<std::uint32_t>(nodes_.size());
      return table_[slot] - 1;
    }
    if (equal(nodes_[table_[slot] - 1], node)) return table_[slot] - 1;
  }
}

void Graph::grow_table() {
  table_.assign(std::max<std::size_t>(64, 2 * table_.size()), 0);
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    std::size_t slot = hash(nodes_[i]) & mask;
    while (table_[slot] != 0) slot = (slot + 1) & mask;
    table_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

}  // namespace bilevel
