// What stands between operators: names, entries, calls and sums.
#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sources/formula_error.hpp"
#include "sources/formula_parser.hpp"

namespace bilevel {

std::uint32_t FormulaParser::name(const Token& token) {
  if (const auto entry = entry_name(token.text)) return variable(token, *entry);
  if (token.text == "sum") return sum(token);
  if (token.text == "if") return choose(token);
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
    const std::string_view what = next().is("(") ? "function" : "name";
    if (const auto known = foreign_name(token.text); !known.empty()) {
      throw FormulaMistake{token.offset, fmt::format("formulas have no {} '{}': {}", what, token.text, known)};
    }
    throw FormulaMistake{token.offset, fmt::format("unknown {} '{}'{}", what, shortened(token.text),
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

std::uint32_t FormulaParser::bracket() {
  const Token& open = take();
  const std::uint32_t index = expression();
  close("]", open, "bracket");
  return index;
}

std::uint32_t FormulaParser::variable(const Token& token, const EntryName& entry) {
  SyntaxNode node{
      .kind = SyntaxKind::entry, .offset = token.offset, .number = entry.index, .of_y = entry.of_y, .name = token.text};
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

const Token& FormulaParser::open_arguments(const Token& token, std::string_view form) {
  if (!next().is("(")) {
    throw FormulaMistake{token.offset, fmt::format("{} is a function: write {}", token.text, form)};
  }
  return take();
}

std::uint32_t FormulaParser::call(const Token& token, const NamedFunction& function, std::uint32_t slot) {
  const Token& open =
      open_arguments(token, fmt::format("{}({})", token.text, function.takes_two_or_more ? "..., ..." : "..."));
  SyntaxNode node{.kind = SyntaxKind::call, .offset = token.offset, .slot = slot, .name = token.text};
  node.children = arguments(open);
  const std::size_t count = node.children.size();
  if (function.takes_two_or_more ? count < 2 : count != 1) {
    throw FormulaMistake{token.offset,
                         fmt::format("{} takes {}, but here it has {}", token.text,
                                     function.takes_two_or_more ? "two or more arguments" : "one argument", count)};
  }
  return add(std::move(node));
}

std::vector<SyntaxChild> FormulaParser::arguments(const Token& open) {
  std::vector<SyntaxChild> all;
  if (!next().is(")")) {
    all.push_back({expression()});
    while (next().is(",")) {
      take();
      all.push_back({expression()});
    }
  }
  close(")", open, "parenthesis");
  return all;
}

std::uint32_t FormulaParser::choose(const Token& token) {
  constexpr std::string_view kForm = "if(condition, a, b)";
  SyntaxNode node{.kind = SyntaxKind::choose, .offset = token.offset, .name = token.text};
  node.children = arguments(open_arguments(token, kForm));
  if (node.children.size() != 3) {
    throw FormulaMistake{token.offset, fmt::format("if takes 3 arguments, but here it has {}: {} is a where the "
                                                   "condition holds, else b",
                                                   node.children.size(), kForm)};
  }
  return add(std::move(node));
}

std::uint32_t FormulaParser::sum(const Token& token) {
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
      throw FormulaMistake{token.offset, fmt::format("sum takes 4 arguments, but here it has {}: {}", argument, kForm)};
    }
    take();
    if (argument == 3) indices_.push_back(index.text);
    node.children.push_back({expression()});
  }
  if (next().is(",")) {
    throw FormulaMistake{next().offset, fmt::format("sum takes 4 arguments, but here it has more: {}", kForm)};
  }
  close(")", open, "parenthesis");
  syntax_.index_slots = std::max(syntax_.index_slots, static_cast<std::uint32_t>(indices_.size()));
  indices_.pop_back();
  return add(std::move(node));
}

void FormulaParser::check_index(const Token& index) const {
  std::string_view meaning = meaning_of(index.text);
  if (parameters_.count(std::string(index.text)) > 0) meaning = "a parameter";
  for (const auto& outer : indices_) {
    if (outer == index.text) meaning = "the index of a sum around it";
  }
  if (meaning.empty()) return;
  throw FormulaMistake{index.offset,
                       fmt::format("'{}' cannot name the index of a sum: it is {}", index.text.substr(0, 40), meaning)};
}

}  // namespace bilevel
