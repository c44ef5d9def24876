// Mistakes in a formula, with the place where they stand.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bilevel/status.hpp"

namespace bilevel {

/// A place in a text, both counted from 1. Columns count characters of UTF-8, not bytes.
struct TextPosition {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// The position of the byte at `offset`; offsets beyond the end are the end.
TextPosition position_of(std::string_view text, std::size_t offset);

/// At most about 60 bytes of a text for a sentence, without control characters; whole characters of UTF-8.
std::string shortened(std::string_view text);

/// "where:line:column: sentence", then the line at `offset` (at most about 100 characters of it) and a caret under it.
std::string located(std::string_view where, std::string_view text, std::size_t offset, std::string_view sentence);

/// What Formula::parse throws: the sentence alone and the byte at which it points, so that the reader of a file can
/// say where in the file that is.
class FormulaError : public InvalidInput {
 public:
  FormulaError(std::string_view where, std::string_view text, std::size_t offset, std::string sentence)
      : InvalidInput(located(where, text, offset, sentence)), sentence_(std::move(sentence)), offset_(offset) {}

  const std::string& sentence() const { return sentence_; }
  std::size_t offset() const { return offset_; }

 private:
  std::string sentence_;
  std::size_t offset_;
};

/// A mistake on its way to Formula::parse, which knows the text.
struct FormulaMistake {
  std::size_t offset;
  std::string sentence;
};

}  // namespace bilevel
