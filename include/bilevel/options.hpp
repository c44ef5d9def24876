// An option is declared once, in the describe() of its struct, and that declaration feeds parsing, checking, help, the
// manual, config.toml, Python and the comparison of two runs:
//
//   struct DescentOptions {
//     int inner_steps = 20;
//     std::optional<double> step_size;  // empty: chosen automatically
//   };
//   void describe(OptionTable& table, DescentOptions& options) {
//     table.group("Lower problem");
//     table.add("inner-steps", options.inner_steps, "steps k of the follower", at_least(1));
//     table.add("step-size", options.step_size, "length of one step, below 1/L", greater_than(0));
//   }
//   DescentOptions options;
//   OptionTable table = described(options);
//   table.set("inner-steps", "50");
#pragma once

#include <concepts>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bilevel {

/// The numbers that an option allows. Ranges given side by side are intersected.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_is_open = false;
  bool high_is_open = false;
  /// The texts "inf" and "-inf" are read as numbers (and must still lie in the range).
  bool infinity_allowed = false;

  bool contains(double number) const;
  /// ">= 1", "> 0 and < 1", "from 0 to 1", or "" if all numbers are allowed.
  std::string text() const;
};

Range at_least(double low);
Range greater_than(double low);
Range at_most(double high);
Range less_than(double high);
/// Both ends allowed.
Range between(double low, double high);
/// All numbers of `range` and infinity.
Range or_infinity(Range range);
/// The numbers in both.
Range operator&(Range a, Range b);

/// The texts that an option allows: one_of({"plain", "auto"}), one_of(method_names()).
struct OneOf {
  std::vector<std::string> choices;
};
inline OneOf one_of(std::vector<std::string> choices) { return {std::move(choices)}; }

enum class OptionKind { integer, real, flag, text, list };

/// One option, bound to a field of an options struct that outlives it.
struct OptionEntry {
  std::string name;          // "inner-steps", as in --inner-steps
  std::string group;         // heading that it stands under in help and config.toml
  std::string help;          // one line: what it is, its formula, when to change it
  std::string allowed;       // "an integer >= 1, or auto"
  std::string default_text;  // the field's text when it was added
  OptionKind kind = OptionKind::text;
  std::vector<std::string> choices;  // all allowed values, if they can be listed

  /// The field's present value; assign(text()) leaves it as it is.
  std::function<std::string()> text;
  /// Parses, checks and stores; throws InvalidOption that names option, value and allowed range.
  std::function<void(std::string_view)> assign;
  /// Only for OptionKind::list, where text() joins the items by commas.
  std::function<std::vector<std::string>()> items;
  std::function<void(const std::vector<std::string>&)> assign_items;

  bool is_flag() const { return kind == OptionKind::flag; }
  bool is_list() const { return kind == OptionKind::list; }
};

template <class T>
concept OptionNumber = (std::integral<T> || std::same_as<T, double>)&&!std::same_as<T, bool>;

/// The declared options of one struct (or of several, added one after another). Holds references to their fields.
/// Declaring a name twice, or one that is not lower-case words joined by hyphens, is a std::logic_error.
class OptionTable {
 public:
  /// The heading of the options added from here on.
  OptionTable& group(std::string heading);

  /// A number: int, long, std::size_t, double, ... "nan" is never a number, "inf" only with or_infinity().
  template <OptionNumber T, std::same_as<Range>... Ranges>
  OptionTable& add(std::string name, T& field, std::string help, Ranges... ranges) {
    return add_number(std::move(name), field, std::move(help), (Range{} & ... & ranges));
  }

  /// A number that may be left to the program: the text "auto" is the empty optional.
  template <OptionNumber T, std::same_as<Range>... Ranges>
  OptionTable& add(std::string name, std::optional<T>& field, std::string help, Ranges... ranges) {
    return add_number(std::move(name), field, std::move(help), (Range{} & ... & ranges));
  }

  /// A flag: --name and --no-name.
  OptionTable& add(std::string name, bool& field, std::string help);

  /// Free text. `allowed` says what is expected, e.g. "a CSV file".
  OptionTable& add(std::string name, std::string& field, std::string help, std::string allowed = "text");

  /// One of a list of texts, e.g. names from a registry.
  OptionTable& add(std::string name, std::string& field, std::string help, OneOf one_of);

  /// An option that can be given several times. No item may be empty.
  OptionTable& add(std::string name, std::vector<std::string>& field, std::string help,
                   std::string allowed = "text, repeatable");

  /// One of a list of names: add("cg", o.cg, "...", {{"plain", Cg::plain}, {"auto", Cg::automatic}}). The field's own
  /// value must be in the list.
  template <class Enum>
  requires std::is_enum_v<Enum> OptionTable& add(
      std::string name, Enum& field, std::string help,
      std::initializer_list<std::pair<std::string, std::type_identity_t<Enum>>> names) {
    std::vector<std::string> choices;
    std::vector<Enum> values;
    for (const auto& [choice, value] : names) {
      choices.push_back(choice);
      values.push_back(value);
    }
    const auto get = [&field, values] {
      std::size_t i = 0;
      while (i < values.size() && values[i] != field) ++i;
      return i;
    };
    const auto put = [&field, values](std::size_t i) { field = values[i]; };
    return add_choice(std::move(name), std::move(help), std::move(choices), get, put);
  }

  /// An option that was declared elsewhere, as it is: how a command takes in the options of several methods.
  OptionTable& add(OptionEntry entry) { return add_entry(std::move(entry)); }

  /// Throws InvalidOption: the name is unknown (with the nearest known one), or the text is not allowed.
  void set(std::string_view name, std::string_view text);

  /// nullptr if there is none.
  const OptionEntry* find(std::string_view name) const;
  /// As set() about a name that is unknown.
  const OptionEntry& at(std::string_view name) const;

  const std::vector<OptionEntry>& entries() const { return entries_; }
  std::vector<std::string> names() const;
  /// Name -> text of all options: two structs are equal when these are.
  std::map<std::string, std::string> all_texts() const;
  /// Takes each default_text from the entry of the same name in `other`.
  void take_defaults(const OptionTable& other);

 private:
  template <class T>  // instantiated in options.cpp for the standard integers and double
  OptionTable& add_number(std::string name, T& field, std::string help, Range range);
  OptionTable& add_choice(std::string name, std::string help, std::vector<std::string> choices,
                          std::function<std::size_t()> get, std::function<void(std::size_t)> put);
  OptionTable& add_entry(OptionEntry entry);

  std::string group_;
  std::vector<OptionEntry> entries_;
};

/// The table of `options` with the defaults of a default-constructed struct, whatever `options` holds.
template <class Options>
OptionTable described(Options& options) {
  Options defaults{};
  OptionTable default_table;
  describe(default_table, defaults);
  OptionTable table;
  describe(table, options);
  table.take_defaults(default_table);
  return table;
}

/// Throws InvalidOption for a field out of its range, however the struct was filled: the table knows the ranges.
template <class Options>
void check_options(Options options) {
  OptionTable table;
  describe(table, options);
  for (const auto& entry : table.entries()) entry.assign(entry.text());
}

/// Name -> text of all options of a struct.
template <class Options>
std::map<std::string, std::string> option_texts(Options options) {
  OptionTable table;
  describe(table, options);
  return table.all_texts();
}

/// All options as a TOML file: one key each under its group's heading, with its help as a comment. `title` (may have
/// several lines) becomes the comment at the top.
std::string to_toml(const OptionTable& table, std::string_view title = "");

/// Sets what the TOML text says. Throws InvalidOption whose sentence starts with "source:line:column:" if the text is
/// not TOML (or over 100,000 bytes, or absurdly nested), a key is no option, or a value is not allowed. Options before
/// the refused one may then already be set.
void set_from_toml(OptionTable& table, std::string_view toml, std::string_view source);

/// As set_from_toml on a file's content; InvalidInput if the file cannot be read.
void load_toml(OptionTable& table, const std::filesystem::path& file);

/// A Markdown table for each group: option, default, allowed, what it does.
std::string options_markdown(const OptionTable& table);

}  // namespace bilevel
