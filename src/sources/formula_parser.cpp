#include "sources/formula_parser.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "sources/formula_error.hpp"

namespace bilevel {

namespace {

enum Binding : int { kNothing = 0, kSum = 10, kProduct = 20, kSign = 30, kPower = 40 };

}  // namespace

Syntax FormulaParser::parse() {
  if (next().kind == TokenKind::end) throw FormulaMistake{0, "the formula is empty: write an expression in x and y"};
  syntax_.root = expression(kNothing);
  if (next().kind != TokenKind::end) refuse_rest();
  return std::move(syntax_);
}

std::uint32_t FormulaParser::expression(int binding) {
  if (++depth_ > kDeepestNesting) {
    throw FormulaMistake{next().offset, fmt::format("the formula is nested more than {} levels deep", kDeepestNesting)};
  }
  std::uint32_t left = prefix();
  while (true) {
    const Token& token = next();
    if (token.is("+") || token.is("-")) {
      if (binding >= kSum) break;
      left = chain(SyntaxKind::add, left, kSum, "+", "-");
    } else if (token.is("*") || token.is("/")) {
      if (binding >= kProduct) break;
      left = chain(SyntaxKind::multiply, left, kProduct, "*", "/");
    } else if (token.is("^")) {
      if (binding >= kPower) break;
      const std::size_t offset = take().offset;
      const std::uint32_t exponent = expression(kPower - 1);  // right to left
      left = add({.kind = SyntaxKind::power, .offset = offset, .children = {{left}, {exponent}}});
    } else {
      refuse_missing_operator(token);
      break;
    }
  }
  --depth_;
  return left;
}

// One node for a + b - c ..., so that long formulas are not deep ones.
std::uint32_t FormulaParser::chain(SyntaxKind kind, std::uint32_t first, int binding, std::string_view plain,
                                   std::string_view inverse) {
  SyntaxNode node{.kind = kind, .offset = next().offset, .children = {{first}}};
  while (next().is(plain) || next().is(inverse)) {
    const bool is_inverse = take().is(inverse);
    node.children.push_back({expression(binding), is_inverse});
  }
  return add(std::move(node));
}

std::uint32_t FormulaParser::prefix() {
  const Token& token = take();
  switch (token.kind) {
    case TokenKind::number: return add({.kind = SyntaxKind::number, .offset = token.offset, .number = token.number});
    case TokenKind::name: return name(token);
    case TokenKind::end:
      --position_;
      throw FormulaMistake{token.offset, "the formula ends where a number, a name or ( is expected"};
    case TokenKind::symbol: break;
  }
  if (token.is("-")) {
    const std::uint32_t operand = expression(kSign);
    return add({.kind = SyntaxKind::negate, .offset = token.offset, .children = {{operand}}});
  }
  if (token.is("+")) return expression(kSign);
  if (token.is("(")) {
    const std::uint32_t inner = expression(kNothing);
    close(")", token, "parenthesis");
    return inner;
  }
  throw FormulaMistake{token.offset,
                       fmt::format("a number, a name or ( is expected here, but there is '{}'", token.text)};
}

void FormulaParser::close(std::string_view symbol, const Token& open, std::string_view what) {
  if (next().is(symbol)) {
    take();
    return;
  }
  if (next().kind == TokenKind::end) throw FormulaMistake{open.offset, fmt::format("this {} is never closed", what)};
  refuse_rest();
}

void FormulaParser::refuse_missing_operator(const Token& token) const {
  const bool begins_an_operand = token.kind == TokenKind::number || token.kind == TokenKind::name || token.is("(");
  if (!begins_an_operand) return;
  const Token& before = tokens_[position_ - 1];
  const auto shown = [](const Token& t) {
    return t.is("(") || t.is(")") ? "(...)" : std::string(t.text.substr(0, 40));
  };
  if (before.is("]")) throw FormulaMistake{token.offset, "an operator is missing here: a product is written with *"};
  throw FormulaMistake{token.offset, fmt::format("an operator is missing here: for the product write {}*{}",
                                                 shown(before), shown(token))};
}

void FormulaParser::refuse_rest() const {
  const Token& token = next();
  if (token.is(")")) throw FormulaMistake{token.offset, "this ) closes nothing: no parenthesis is open here"};
  if (token.is("]")) throw FormulaMistake{token.offset, "this ] closes nothing: no bracket is open here"};
  if (token.is("[")) {
    throw FormulaMistake{token.offset, "only x, y and parameters have entries, and each takes one index"};
  }
  std::string_view hint;
  if (token.is(",")) hint = ": commas separate arguments of a function, and numbers have a decimal point";
  throw FormulaMistake{token.offset, fmt::format("'{}' is not expected here{}", token.text, hint)};
}

Syntax parse_syntax(std::string_view text, const FormulaParameters& parameters) {
  check_parameters(parameters);
  return FormulaParser(text, parameters).parse();
}

}  // namespace bilevel
