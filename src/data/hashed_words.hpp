// From the bytes of a document to a sparse row of hashed words (include/bilevel/text.hpp says how they are weighed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "bilevel/data.hpp"

namespace bilevel::data {

/// The text after the header of a mail and the empty line that ends it, or all of it if it does not begin with one.
std::string_view without_mail_header(std::string_view text);

/// FNV-1a with 64 bits (Fowler, Noll and Vo; draft-eastlake-fnv), then the finalizer of MurmurHash3 (Appleby), without
/// which the last bytes of a word hardly reach the highest bit, the sign.
std::uint64_t word_hash(std::string_view word);

/// Where a word counts among `buckets`.
struct WordPlace {
  std::uint32_t bucket = 0;
  double sign = 1;
};
WordPlace word_place(std::uint64_t hash, std::size_t buckets);

/// Appends rows to a sparse table. Reuses its memory, so one is made for all documents.
class HashedWords {
 public:
  explicit HashedWords(std::size_t buckets) : buckets_(buckets) {}

  /// Appends the row of `text`, not its label; returns the number of its words.
  std::size_t append_row(std::string_view text, Table& table);

 private:
  void add_word(std::string_view word);

  std::size_t buckets_;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> words_;  // bucket and hash of every word of the document
  std::vector<double> weights_;                                 // of its buckets
};

}  // namespace bilevel::data
