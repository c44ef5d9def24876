// A formula's text as tokens.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace bilevel {

enum class TokenKind { number, name, symbol, end };

struct Token {
  TokenKind kind;
  std::size_t offset;     // of its first byte
  std::string_view text;  // a part of the formula's text; empty at the end
  double number = 0;      // of TokenKind::number
  bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
  bool is_name(std::string_view word) const { return kind == TokenKind::name && text == word; }
  /// A symbol, or a word that stands between operands.
  bool is_operator(std::string_view written) const {
    return (kind == TokenKind::symbol || kind == TokenKind::name) && text == written;
  }
};

/// The tokens of `text`, the last one of kind end. Throws FormulaMistake for what no formula contains: stray
/// characters, look-alikes of operators beyond ASCII (with what to write instead), numbers that are none, operators of
/// other languages (** && ||).
std::vector<Token> tokenize(std::string_view text);

}  // namespace bilevel
