// A formula as a graph of numbers, equal ones shared and constants folded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sources/formula_functions.hpp"

namespace bilevel {

/// coefficient * number of a node.
struct Term {
  std::uint32_t node;
  double coefficient;
};

/// What an expression is before anything nonlinear happens to it: constant + sum of terms. Without terms, a constant.
struct Form {
  std::vector<Term> terms;
  double constant = 0;

  bool is_constant() const { return terms.empty(); }
};

struct GraphNode {
  Op op;
  std::uint32_t level = 0;  // longest way to a leaf
  std::uint32_t a = 0;      // operand; a leaf's index from 0; an affine row's first term
  std::uint32_t b = 0;      // operand; an affine row's number of terms
  double parameter = 0;     // the constant; the exponent or base of a power
};

/// Builds nodes bottom-up: operands have smaller numbers. Sums and products with constants stay forms as long as
/// possible, so that sum(j, 1, n, a[j]*y[j]) becomes one row.
class Graph {
 public:
  Form leaf(bool of_y, std::uint32_t index);

  static void add(Form& to, const Form& form, double sign);
  Form scaled(Form form, double factor);
  Form product(Form a, Form b);
  /// b must not be the constant 0.
  Form quotient(Form a, Form b);
  Form power(Form base, Form exponent);
  /// A function of one operand, or Op::square.
  Form apply(Op op, Form a);
  /// Op::smaller or Op::larger, a comparison, or Op::provided.
  Form choice(Op op, Form a, Form b);

  /// The node that computes the form.
  std::uint32_t node_of(Form form);

  const std::vector<GraphNode>& nodes() const { return nodes_; }
  const Term* terms(const GraphNode& row) const { return terms_.data() + row.a; }

 private:
  Term factored(Form form);
  Form unary(Op op, std::uint32_t a, double parameter = 0);
  Form binary(Op op, std::uint32_t a, std::uint32_t b);
  Form square(Form a);
  bool comes_before(std::uint32_t a, std::uint32_t b) const;
  void simplify(std::vector<Term>& terms) const;
  std::uint32_t intern(const GraphNode& node);
  std::size_t hash(const GraphNode& node) const;
  bool equal(const GraphNode& a, const GraphNode& b) const;
  void grow_table();

  std::vector<GraphNode> nodes_;
  std::vector<Term> terms_;           // of all rows
  std::vector<std::uint32_t> table_;  // open addressing; the node + 1, or 0
};

}  // namespace bilevel
