// A formula as a tree, before its sums are written out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/formula.hpp"

namespace bilevel {

enum class SyntaxKind : std::uint8_t {
  number,     // `number`
  entry,      // of x or y: at the index children[0], or at the fixed index `number` if there is none
  parameter,  // `values`, at the index children[0], or its only number
  index,      // of the enclosing sum with level `slot`
  add,        // children, subtracted where inverse
  multiply,   // children, divided by where inverse
  negate,
  power,   // children[0] ^ children[1]
  call,    // functions()[slot] of the children
  sum,     // over index `slot` from children[0] to children[1] of children[2]
  choose,  // children[1] where the condition children[0] holds, else children[2]
  // conditions, 1 or 0
  compare,   // children[0] and children[1], by the Relation `slot`
  both,      // all children
  either,    // one of the children
  opposite,  // not children[0]
};
constexpr bool is_condition(SyntaxKind kind) { return kind >= SyntaxKind::compare; }

enum class Relation : std::uint8_t { less, at_most, more, at_least, equal, unequal };

struct SyntaxChild {
  std::uint32_t node;
  bool inverse = false;
};

struct SyntaxNode {
  SyntaxKind kind;
  std::size_t offset = 0;          // where a mistake about it points
  std::size_t begin = 0, end = 0;  // its text
  double number = 0;
  std::uint32_t slot = 0;
  bool of_y = false;                            // an entry's vector
  const std::vector<double>* values = nullptr;  // of a parameter
  std::string_view name = {};                   // as written
  std::vector<SyntaxChild> children = {};
};

/// Nodes refer to each other by number, so that no tree is too deep to be destroyed. Views into the text and the
/// parameters: it must not outlive them.
struct Syntax {
  std::vector<SyntaxNode> nodes;
  std::uint32_t root = 0;
  std::uint32_t index_slots = 0;  // depth of nested sums

  const SyntaxNode& operator[](std::uint32_t node) const { return nodes[node]; }
};

/// Throws FormulaMistake. Checks the parameters' names and values first.
Syntax parse_syntax(std::string_view text, const FormulaParameters& parameters);

/// Most levels of parentheses, functions, signs and powers inside each other.
inline constexpr std::size_t kDeepestNesting = 200;

}  // namespace bilevel
