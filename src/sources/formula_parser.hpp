// A Pratt parser: each operator binds its neighbours with a power, and an expression ends at an operator that binds
// less than the one before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "sources/formula_functions.hpp"
#include "sources/formula_lexer.hpp"
#include "sources/formula_names.hpp"
#include "sources/formula_syntax.hpp"

namespace bilevel {

/// Reads one formula once. Throws FormulaMistake.
class FormulaParser {
 public:
  FormulaParser(std::string_view text, const FormulaParameters& parameters)
      : tokens_(tokenize(text)), parameters_(parameters) {}

  Syntax parse();

 private:
  const Token& next() const { return tokens_[position_]; }
  const Token& take() { return tokens_[position_++]; }
  /// The text of a node ends where reading has come to; it begins at `begin`.
  std::uint32_t add(SyntaxNode node, std::size_t begin);
  std::uint32_t add(SyntaxNode node) {
    const std::size_t begin = node.offset;
    return add(std::move(node), begin);
  }
  /// Refuses a condition where a number is needed, and a number where a condition is.
  void check_kinds(const SyntaxNode& node) const;

  /// Up to an operator that binds no more than `binding`.
  std::uint32_t expression(int binding = 0);
  std::uint32_t chain(SyntaxKind kind, std::uint32_t first, std::size_t begin, int binding, std::string_view plain,
                      std::string_view inverse);
  std::uint32_t comparison(std::uint32_t left, std::size_t begin);
  std::uint32_t prefix();
  void close(std::string_view symbol, const Token& open, std::string_view what);
  void refuse_missing_operator(const Token& token) const;
  [[noreturn]] void refuse_rest() const;

  std::uint32_t name(const Token& token);
  std::uint32_t bracket();
  std::uint32_t variable(const Token& token, const EntryName& entry);
  const Token& open_arguments(const Token& token, std::string_view form);
  std::uint32_t call(const Token& token, const NamedFunction& function, std::uint32_t slot);
  std::uint32_t choose(const Token& token);
  std::vector<SyntaxChild> arguments(const Token& open);
  std::uint32_t sum(const Token& token);
  void check_index(const Token& index) const;

  std::vector<Token> tokens_;
  const FormulaParameters& parameters_;
  Syntax syntax_;
  std::vector<std::string_view> indices_;  // of the sums around the place that is read
  std::size_t position_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace bilevel
