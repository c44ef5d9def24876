// A Pratt parser: each operator binds its neighbours with a power, and an expression ends at an operator that binds
// less than the one before it.
#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sources/formula_error.hpp"
#include "sources/formula_functions.hpp"
#include "sources/formula_lexer.hpp"
#include "sources/formula_names.hpp"
#include "sources/formula_syntax.hpp"

namespace bilevel {

namespace {

enum Binding : int { kNothing = 0, kSum = 10, kProduct = 20, kSign = 30, kPower = 40 };

class Parser {
 public:
  Parser(std::string_view text, const FormulaParameters& parameters)
      : tokens_(tokenize(text)), parameters_(parameters) {}

  Syntax parse() {
    if (next().kind == TokenKind::end) throw FormulaMistake{0, "the formula is empty: write an expression in x and y"};
    syntax_.root = expression(kNothing);
    if (next().kind != TokenKind::end) refuse_rest();
    return std::move(syntax_);
  }

 private:
  const Token& next() const { return tokens_[position_]; }
  const Token& take() { return tokens_[position_++]; }

  std::uint32_t add(SyntaxNode node) {
    syntax_.nodes.push_back(std::move(node));
    return static_cast<std::uint32_t>(syntax_.nodes.size() - 1);
  }

  std::uint32_t expression(int binding) {
    if (++depth_ > kDeepestNesting) {
      throw FormulaMistake{next().offset,
                           fmt::format("the formula is nested more than {} levels deep", kDeepestNesting)};
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
  std::uint32_t chain(SyntaxKind kind, std::uint32_t first, int binding, std::string_view plain,
                      std::string_view inverse) {
    SyntaxNode node{.kind = kind, .offset = next().offset, .children = {{first}}};
    while (next().is(plain) || next().is(inverse)) {
      const bool is_inverse = take().is(inverse);
      node.children.push_back({expression(binding), is_inverse});
    }
    return add(std::move(node));
  }

  void refuse_missing_operator(const Token& token) const {
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

  [[noreturn]] void refuse_rest() const {
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

  std::uint32_t prefix() {
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

  void close(std::string_view symbol, const Token& open, std::string_view what) {
    if (next().is(symbol)) {
      take();
      return;
    }
    if (next().kind == TokenKind::end) throw FormulaMistake{open.offset, fmt::format("this {} is never closed", what)};
    refuse_rest();
  }

  std::uint32_t name(const Token& token) {
    if (const auto entry = entry_name(token.text)) return variable(token, *entry);
    if (token.text == "sum") return sum(token);
    const auto& all = functions();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name == token.text) return call(token, all[i], static_cast<std::uint32_t>(i));
    }
    if (const auto constant = named_constant(token.text)) {
      return add({.kind = SyntaxKind::number, .offset = token.offset, .number = *constant});
    }
    for (std::size_t i = 0; i < indices_.size(); ++i) {
      if (indices_[i] != token.text) continue;
      return add({.kind = SyntaxKind::index, .offset = token.offset, .slot = static_cast<std::uint32_t>(i)});
    }
    const auto parameter = parameters_.find(std::string(token.text));
    if (parameter == parameters_.end()) {
      throw FormulaMistake{
          token.offset, fmt::format("unknown {} '{}'{}", next().is("(") ? "function" : "name", token.text.substr(0, 60),
                                    suggestion(token.text, parameters_, indices_))};
    }
    SyntaxNode node{
        .kind = SyntaxKind::parameter, .offset = token.offset, .values = &parameter->second, .name = token.text};
    if (next().is("[")) {
      node.children.push_back({bracket()});
    } else if (node.values->size() != 1) {
      const auto count = node.values->size();
      throw FormulaMistake{token.offset,
                           count == 0 ? fmt::format("the parameter '{}' is an empty list", token.text)
                                      : fmt::format("'{0}' is a list: write {0}[1] to {0}[{1}]", token.text, count)};
    }
    return add(std::move(node));
  }

  std::uint32_t bracket() {
    const Token& open = take();
    const std::uint32_t index = expression(kNothing);
    close("]", open, "bracket");
    return index;
  }

  std::uint32_t variable(const Token& token, const EntryName& entry) {
    SyntaxNode node{.kind = SyntaxKind::entry,
                    .offset = token.offset,
                    .number = entry.index,
                    .of_y = entry.of_y,
                    .name = token.text};
    const char letter = entry.of_y ? 'y' : 'x';
    if (next().is("(")) {
      throw FormulaMistake{
          next().offset,
          fmt::format("{0} is a variable, not a function: write {0}*(...) for a product{1}", token.text.substr(0, 40),
                      entry.has_digits ? "" : fmt::format(" and {}[...] for an entry", letter))};
    }
    if (next().is("[")) {
      if (entry.has_digits) {
        throw FormulaMistake{next().offset,
                             fmt::format("{} is one entry already: write {}[...]", token.text.substr(0, 40), letter)};
      }
      node.children.push_back({bracket()});
    }
    return add(std::move(node));
  }

  const Token& open_arguments(const Token& token, std::string_view form) {
    if (!next().is("(")) {
      throw FormulaMistake{token.offset, fmt::format("{} is a function: write {}", token.text, form)};
    }
    return take();
  }

  std::uint32_t call(const Token& token, const NamedFunction& function, std::uint32_t slot) {
    const Token& open =
        open_arguments(token, fmt::format("{}({})", token.text, function.takes_two_or_more ? "..., ..." : "..."));
    SyntaxNode node{.kind = SyntaxKind::call, .offset = token.offset, .slot = slot, .name = token.text};
    if (!next().is(")")) {
      node.children.push_back({expression(kNothing)});
      while (next().is(",")) {
        take();
        node.children.push_back({expression(kNothing)});
      }
    }
    close(")", open, "parenthesis");
    const std::size_t count = node.children.size();
    if (function.takes_two_or_more ? count < 2 : count != 1) {
      throw FormulaMistake{token.offset,
                           fmt::format("{} takes {}, but here it has {}", token.text,
                                       function.takes_two_or_more ? "two or more arguments" : "one argument", count)};
    }
    return add(std::move(node));
  }

  std::uint32_t sum(const Token& token) {
    constexpr std::string_view kForm = "sum(i, from, to, term)";
    const Token& open = open_arguments(token, kForm);
    const Token& index = take();
    if (index.kind != TokenKind::name || !next().is(",")) {
      throw FormulaMistake{index.kind == TokenKind::end ? token.offset : index.offset,
                           fmt::format("a sum begins with the name of its index and a comma: {}", kForm)};
    }
    check_index(index);
    SyntaxNode node{.kind = SyntaxKind::sum,
                    .offset = token.offset,
                    .slot = static_cast<std::uint32_t>(indices_.size()),
                    .name = index.text};
    for (int argument = 1; argument <= 3; ++argument) {
      if (!next().is(",")) {
        if (next().kind == TokenKind::end) close(")", open, "parenthesis");
        if (!next().is(")")) refuse_rest();
        throw FormulaMistake{token.offset,
                             fmt::format("sum takes 4 arguments, but here it has {}: {}", argument, kForm)};
      }
      take();
      if (argument == 3) indices_.push_back(index.text);
      node.children.push_back({expression(kNothing)});
    }
    if (next().is(",")) {
      throw FormulaMistake{next().offset, fmt::format("sum takes 4 arguments, but here it has more: {}", kForm)};
    }
    close(")", open, "parenthesis");
    syntax_.index_slots = std::max(syntax_.index_slots, static_cast<std::uint32_t>(indices_.size()));
    indices_.pop_back();
    return add(std::move(node));
  }

  void check_index(const Token& index) const {
    std::string_view meaning = meaning_of(index.text);
    if (parameters_.count(std::string(index.text)) > 0) meaning = "a parameter";
    for (const auto& outer : indices_) {
      if (outer == index.text) meaning = "the index of a sum around it";
    }
    if (meaning.empty()) return;
    throw FormulaMistake{
        index.offset, fmt::format("'{}' cannot name the index of a sum: it is {}", index.text.substr(0, 40), meaning)};
  }

  std::vector<Token> tokens_;
  const FormulaParameters& parameters_;
  Syntax syntax_;
  std::vector<std::string_view> indices_;  // of the sums around the place that is read
  std::size_t position_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

Syntax parse_syntax(std::string_view text, const FormulaParameters& parameters) {
  check_parameters(parameters);
  return Parser(text, parameters).parse();
}

}  // namespace bilevel
