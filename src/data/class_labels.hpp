// From labels as spelled in a file to class numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bilevel/data.hpp"

namespace bilevel::data {

/// Numbers distinct texts in the order of their first appearance.
class TextCodes {
 public:
  std::int32_t code(std::string_view text);

  /// The text of each code.
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> codes_;
  std::vector<std::string> texts_;
};

/// Class number of each text; -1 where it is none of `keys`, however a number is spelled.
std::vector<std::int32_t> class_numbers(const std::vector<std::string>& texts, const std::vector<std::string>& keys);

/// More than 100 different texts in more than half of the rows: an identifier or free text, not a category.
bool too_many_values(std::size_t different, std::size_t rows);

/// table.labels holds TextCodes; renumbers them to 0..C-1 and fills classes, class_keys and class_names. Labels that
/// are all numbers are sorted by value, and equal values ("1", "1.0", "+1") are one class; other labels are sorted as
/// text. With `training`, its classes are used and an unknown label is an InvalidInput; without, one class only is.
void number_classes(Table& table, const TextCodes& codes, const Table* training, const ReadOptions& options);

}  // namespace bilevel::data
