#include "sources/formula_parser.hpp"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sources/formula_error.hpp"

namespace bilevel {

namespace {

enum Binding : int {
  kNothing = 0,
  kOr = 2,
  kAnd = 4,
  kNot = 6,
  kCompare = 8,
  kSum = 10,
  kProduct = 20,
  kSign = 30,
  kPower = 40
};

constexpr std::string_view kNoNumber =
    "a comparison is no number of its own: it is the condition of a choice, if(y > 0, a, b)";

std::optional<Relation> relation(const Token& token) {
  if (token.is("<")) return Relation::less;
  if (token.is("<=")) return Relation::at_most;
  if (token.is(">")) return Relation::more;
  if (token.is(">=")) return Relation::at_least;
  if (token.is("==")) return Relation::equal;
  if (token.is("!=")) return Relation::unequal;
  return std::nullopt;
}

}  // namespace

Syntax FormulaParser::parse() {
  if (next().kind == TokenKind::end) throw FormulaMistake{0, "the formula is empty: write an expression in x and y"};
  syntax_.root = expression(kNothing);
  if (next().kind != TokenKind::end) refuse_rest();
  const SyntaxNode& root = syntax_[syntax_.root];
  if (is_condition(root.kind)) throw FormulaMistake{root.offset, std::string(kNoNumber)};
  return std::move(syntax_);
}

std::uint32_t FormulaParser::add(SyntaxNode node, std::size_t begin) {
  const Token& last = tokens_[position_ - 1];
  node.begin = begin;
  node.end = last.offset + last.text.size();
  check_kinds(node);
  syntax_.nodes.push_back(std::move(node));
  return static_cast<std::uint32_t>(syntax_.nodes.size() - 1);
}

void FormulaParser::check_kinds(const SyntaxNode& node) const {
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const SyntaxNode& child = syntax_[node.children[i].node];
    const bool needs_condition =
        node.kind == SyntaxKind::choose ? i == 0 : is_condition(node.kind) && node.kind != SyntaxKind::compare;
    if (needs_condition && !is_condition(child.kind)) {
      throw FormulaMistake{child.begin, "a condition is needed here: a comparison such as y > 0"};
    }
    if (!needs_condition && is_condition(child.kind)) {
      throw FormulaMistake{child.offset, std::string(kNoNumber)};
    }
  }
}

std::uint32_t FormulaParser::expression(int binding) {
  if (++depth_ > kDeepestNesting) {
    throw FormulaMistake{next().offset, fmt::format("the formula is nested more than {} levels deep", kDeepestNesting)};
  }
  const std::size_t begin = next().offset;
  std::uint32_t left = prefix();
  while (true) {
    const Token& token = next();
    if (token.is("+") || token.is("-")) {
      if (binding >= kSum) break;
      left = chain(SyntaxKind::add, left, begin, kSum, "+", "-");
    } else if (token.is("*") || token.is("/")) {
      if (binding >= kProduct) break;
      left = chain(SyntaxKind::multiply, left, begin, kProduct, "*", "/");
    } else if (token.is("^")) {
      if (binding >= kPower) break;
      const std::size_t offset = take().offset;
      const std::uint32_t exponent = expression(kPower - 1);  // right to left
      left = add({.kind = SyntaxKind::power, .offset = offset, .children = {{left}, {exponent}}}, begin);
    } else if (relation(token)) {
      if (binding >= kCompare) break;
      left = comparison(left, begin);
    } else if (token.is_name("and")) {
      if (binding >= kAnd) break;
      left = chain(SyntaxKind::both, left, begin, kAnd, "and", "");
    } else if (token.is_name("or")) {
      if (binding >= kOr) break;
      left = chain(SyntaxKind::either, left, begin, kOr, "or", "");
    } else {
      refuse_missing_operator(token);
      break;
    }
  }
  --depth_;
  return left;
}

// One node for a + b - c ..., so that long formulas are not deep ones.
std::uint32_t FormulaParser::chain(SyntaxKind kind, std::uint32_t first, std::size_t begin, int binding,
                                   std::string_view plain, std::string_view inverse) {
  SyntaxNode node{.kind = kind, .offset = next().offset, .children = {{first}}};
  const auto goes_on = [&] { return next().is_operator(plain) || next().is_operator(inverse); };
  while (goes_on()) {
    const bool is_inverse = take().is_operator(inverse);
    node.children.push_back({expression(binding), is_inverse});
  }
  return add(std::move(node), begin);
}

std::uint32_t FormulaParser::comparison(std::uint32_t left, std::size_t begin) {
  const Token& sign = take();
  const std::uint32_t right = expression(kCompare);
  const std::uint32_t node = add({.kind = SyntaxKind::compare,
                                  .offset = sign.offset,
                                  .slot = static_cast<std::uint32_t>(*relation(sign)),
                                  .children = {{left}, {right}}},
                                 begin);
  if (relation(next())) {
    throw FormulaMistake{next().offset, "comparisons are not chained: for 0 < y < 1 write 0 < y and y < 1"};
  }
  return node;
}

std::uint32_t FormulaParser::prefix() {
  const Token& token = take();
  switch (token.kind) {
    case TokenKind::number: return add({.kind = SyntaxKind::number, .offset = token.offset, .number = token.number});
    case TokenKind::name: {
      if (token.text != "not") return name(token);
      const std::uint32_t operand = expression(kNot);
      return add({.kind = SyntaxKind::opposite, .offset = token.offset, .children = {{operand}}});
    }
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
                       fmt::format("a number, a name or ( is expected here, but there is '{}'", shortened(token.text))};
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
  if (token.is_name("if") || token.is_name("else")) {
    throw FormulaMistake{token.offset, "a choice is written if(condition, a, b): a where the condition holds, else b"};
  }
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
  throw FormulaMistake{token.offset, fmt::format("'{}' is not expected here{}", shortened(token.text), hint)};
}

Syntax parse_syntax(std::string_view text, const FormulaParameters& parameters) {
  check_parameters(parameters);
  return FormulaParser(text, parameters).parse();
}

}  // namespace bilevel
