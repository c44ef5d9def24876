// Columns of a sparse table that hold nothing are no features: a model has a parameter for each feature and class.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

/// A set of columns that knows how many are below each.
class Occupied {
 public:
  explicit Occupied(std::size_t features) : words_(features / 64 + 1, 0) {}

  void insert(std::uint32_t column) { words_[column / 64] |= std::uint64_t{1} << (column % 64); }

  /// To be called once, after the last insert. Returns how many there are.
  std::size_t count() {
    std::uint32_t sum = 0;
    below_.reserve(words_.size());
    for (const std::uint64_t word : words_) {
      below_.push_back(sum);
      sum += static_cast<std::uint32_t>(std::popcount(word));
    }
    return sum;
  }

  std::uint32_t position(std::uint32_t column) const {
    const std::uint64_t before = words_[column / 64] & ((std::uint64_t{1} << (column % 64)) - 1);
    return below_[column / 64] + static_cast<std::uint32_t>(std::popcount(before));
  }

  template <typename Each>
  void for_each(Each each) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1) {
        each(static_cast<std::uint32_t>(64 * i) + static_cast<std::uint32_t>(std::countr_zero(rest)));
      }
    }
  }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> below_;
};

}  // namespace

std::string drop_unused_columns(Table& table) {
  if (table.format != Format::libsvm || !table.column_numbers.empty()) return "";
  Occupied occupied(table.features);
  for (const std::uint32_t column : table.columns) occupied.insert(column);
  const std::size_t used = occupied.count();
  if (used == table.features) return "";
  table.column_numbers.reserve(used);
  occupied.for_each([&](std::uint32_t column) { table.column_numbers.push_back(column + 1); });
  for (std::uint32_t& column : table.columns) column = occupied.position(column);
  const std::string note = fmt::format("of the columns 1 to {} only {} hold values: the others are no features",
                                       table.column_numbers.back(), used);
  table.features = used;
  return note;
}

}  // namespace bilevel::data
