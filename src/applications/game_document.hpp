// A game file's TOML with its text: values of the kinds that games have, and mistakes with their place in the file.
#pragma once

#include "core/toml.hpp"
// toml++ comes first: it is compiled with settings of its own

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bilevel/vec.hpp"

namespace bilevel {

class GameDocument {
 public:
  /// Throws InvalidInput for text that is no TOML, longer than 1 MB, or nested absurdly. Keeps views into both.
  GameDocument(std::string_view text, std::string_view source);

  /// Longest file of a game, in bytes.
  static constexpr std::size_t kLongestText = 1'000'000;

  const toml::table& root() const { return root_; }

  /// Throws InvalidInput "source:line:column: sentence".
  [[noreturn]] void refuse(const toml::source_position& where, std::string_view sentence) const;
  [[noreturn]] void refuse(const toml::node& node, std::string_view sentence) const;
  /// The same at the file's beginning, for what is missing.
  [[noreturn]] void refuse(std::string_view sentence) const;
  /// A mistake at byte `offset` of the string `value`: points at its place in the file if the string stands there as it
  /// is, else (it has escapes) at the string, with the place within it.
  [[noreturn]] void refuse_inside(const toml::value<std::string>& value, std::size_t offset,
                                  std::string_view sentence) const;

  /// The keys of a table in the file's order.
  std::vector<std::pair<std::string, const toml::node*>> entries(const toml::table& table) const;
  /// Refuses the first key that is not among `known`; `place` names the table, e.g. "[start]".
  void check_keys(const toml::table& table, std::string_view place, const std::vector<std::string>& known) const;
  /// The table [name]; null if there is none.
  const toml::table* table(std::string_view name) const;

  /// `what` names the value in sentences, e.g. "[start] x".
  const toml::value<std::string>& string(const toml::node& node, std::string_view what) const;
  /// A finite number; integers count.
  double number(const toml::node& node, std::string_view what) const;
  /// A number, or a list of numbers.
  std::vector<double> numbers(const toml::node& node, std::string_view what) const;
  Vec vec(const toml::node& node, std::string_view what) const;

 private:
  std::string_view text_;
  std::string_view source_;
  toml::table root_;
};

}  // namespace bilevel
