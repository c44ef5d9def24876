#include "data/hashed_words.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace bilevel::data {

namespace {

constexpr std::size_t kLongestWord = 30;
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
constexpr std::string_view kNumber = "0";  // what all numbers are counted as

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of every byte: itself in lower case if it is part of a word, else 0.
constexpr std::array<char, 256> word_bytes() {
  std::array<char, 256> bytes{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (byte >= 128 || is_digit(c) || (c >= 'a' && c <= 'z')) bytes[byte] = c;
    if (c >= 'A' && c <= 'Z') bytes[byte] = static_cast<char>(c - 'A' + 'a');
  }
  return bytes;
}

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "Name:", the name of printable ASCII without blanks (RFC 5322, section 2.2).
bool is_header_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto name = line.substr(0, colon);
  return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::string_view without_mail_header(std::string_view text) {
  constexpr int kFewestFields = 2;  // RFC 5322 demands Date and From; a single "Note: ..." is no mail
  std::string_view rest = text;
  if (rest.starts_with("From ")) take_line(rest);
  int fields = 0;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    if (line.empty()) return fields >= kFewestFields ? rest : text;
    const bool continues = fields > 0 && (line.front() == ' ' || line.front() == '\t');
    if (continues) continue;
    if (!is_header_field(line)) return text;
    ++fields;
  }
  return text;
}

std::uint64_t word_hash(std::string_view word) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53U;
  return hash ^ (hash >> 33);
}

WordPlace word_place(std::uint64_t hash, std::size_t buckets) {
  return {.bucket = static_cast<std::uint32_t>((hash & ~kSignBit) % buckets),
          .sign = (hash & kSignBit) != 0 ? -1.0 : 1.0};
}

void HashedWords::add_word(std::string_view word) {
  const bool is_number = std::all_of(word.begin(), word.end(), is_digit);
  if (word.size() > kLongestWord && !is_number) return;
  const std::uint64_t hash = word_hash(is_number ? kNumber : word);
  words_.emplace_back(word_place(hash, buckets_).bucket, hash);
}

std::size_t HashedWords::append_row(std::string_view text, Table& table) {
  static constexpr auto kWordBytes = word_bytes();
  words_.clear();
  std::string word;
  for (const char byte : text) {
    const char c = kWordBytes[static_cast<unsigned char>(byte)];
    if (c != 0) {
      word.push_back(c);
    } else if (!word.empty()) {
      add_word(word);
      word.clear();
    }
  }
  if (!word.empty()) add_word(word);

  // Equal words stand together now, and buckets are summed in an order that the document's does not change.
  std::sort(words_.begin(), words_.end());
  weights_.clear();
  double squares = 0;
  for (std::size_t i = 0; i < words_.size();) {
    const std::uint32_t bucket = words_[i].first;
    double weight = 0;
    while (i < words_.size() && words_[i].first == bucket) {
      const std::size_t begin = i;
      while (i < words_.size() && words_[i] == words_[begin]) ++i;
      weight += word_place(words_[begin].second, buckets_).sign * (1.0 + std::log(static_cast<double>(i - begin)));
    }
    if (weight == 0) continue;  // words of opposite signs
    table.columns.push_back(bucket);
    weights_.push_back(weight);
    squares += weight * weight;
  }
  for (const double weight : weights_) table.values.push_back(static_cast<float>(weight / std::sqrt(squares)));
  table.row_starts.push_back(table.columns.size());
  return words_.size();
}

}  // namespace bilevel::data
