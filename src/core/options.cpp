#include "bilevel/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "bilevel/status.hpp"
#include "core/shown.hpp"

namespace bilevel {

namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view text, std::string_view allowed,
                         std::string_view hint = "") {
  throw InvalidOption(fmt::format("option '{}' cannot be '{}': it must be {}{}", name, shown(text), allowed, hint));
}

std::string did_you_mean(std::string_view text, const std::vector<std::string>& known) {
  const auto nearest = nearest_name(text, known);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

enum class Parsed { number, no_number, out_of_reach };

// The whole text must be the number: from_chars alone would read "1e-3x" as 1e-3.
template <class T>
Parsed parse(std::string_view text, bool infinity_allowed, T& number) {
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (rest != end || error == std::errc::invalid_argument) return Parsed::no_number;
  if (error == std::errc::result_out_of_range) return Parsed::out_of_reach;
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(number) || (std::isinf(number) && !infinity_allowed)) return Parsed::no_number;
  }
  return Parsed::number;
}

template <class T>
struct Number {
  using type = T;
  static constexpr bool optional = false;
};
template <class T>
struct Number<std::optional<T>> {
  using type = T;
  static constexpr bool optional = true;
};

std::string escape_item(std::string_view item) {
  std::string escaped;
  for (const char c : item) {
    if (c == ',' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::vector<std::string> split_items(std::string_view text) {
  std::vector<std::string> items;
  if (text.empty()) return items;
  items.emplace_back();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      items.emplace_back();
    } else {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      items.back() += text[i];
    }
  }
  return items;
}

bool is_option_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_allowed = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && is_letter(name.front()) && name.back() != '-' && name.find("--") == name.npos &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

}  // namespace

bool Range::contains(double number) const {
  return (low_is_open ? number > low : number >= low) && (high_is_open ? number < high : number <= high);
}

std::string Range::text() const {
  const bool has_low = low > -std::numeric_limits<double>::infinity();
  const bool has_high = high < std::numeric_limits<double>::infinity();
  if (has_low && has_high && !low_is_open && !high_is_open) return fmt::format("from {} to {}", low, high);
  std::string words;
  if (has_low) words += fmt::format("{} {}", low_is_open ? ">" : ">=", low);
  if (has_low && has_high) words += " and ";
  if (has_high) words += fmt::format("{} {}", high_is_open ? "<" : "<=", high);
  return words;
}

Range at_least(double low) {
  Range range;
  range.low = low;
  return range;
}

Range greater_than(double low) {
  Range range = at_least(low);
  range.low_is_open = true;
  return range;
}

Range at_most(double high) {
  Range range;
  range.high = high;
  return range;
}

Range less_than(double high) {
  Range range = at_most(high);
  range.high_is_open = true;
  return range;
}

Range between(double low, double high) { return at_least(low) & at_most(high); }

Range or_infinity(Range range) {
  range.infinity_allowed = true;
  return range;
}

Range operator&(Range a, Range b) {
  Range both = a;
  if (b.low > a.low || (b.low == a.low && b.low_is_open)) {
    both.low = b.low;
    both.low_is_open = b.low_is_open;
  }
  if (b.high < a.high || (b.high == a.high && b.high_is_open)) {
    both.high = b.high;
    both.high_is_open = b.high_is_open;
  }
  both.infinity_allowed = a.infinity_allowed || b.infinity_allowed;
  return both;
}

OptionTable& OptionTable::group(std::string heading) {
  group_ = std::move(heading);
  return *this;
}

OptionTable& OptionTable::add_entry(OptionEntry entry) {
  if (!is_option_name(entry.name)) throw std::logic_error("'" + entry.name + "' is not the form of an option's name");
  if (find(entry.name) != nullptr) throw std::logic_error("the option '" + entry.name + "' is declared twice");
  entry.group = group_;
  entry.default_text = entry.text();
  entries_.push_back(std::move(entry));
  return *this;
}

template <class T>
OptionTable& OptionTable::add_number(std::string name, T& field, std::string help, Range range) {
  using Value = typename Number<T>::type;
  constexpr bool is_integer = std::is_integral_v<Value>;
  OptionEntry entry;
  entry.name = name;
  entry.help = std::move(help);
  entry.kind = is_integer ? OptionKind::integer : OptionKind::real;
  const Range shown = std::is_unsigned_v<Value> ? range & at_least(0) : range;
  entry.allowed = is_integer ? "an integer" : "a number";
  if (!shown.text().empty()) entry.allowed += " " + shown.text();
  if (range.infinity_allowed && !is_integer) entry.allowed += ", or inf";
  if (Number<T>::optional) entry.allowed += ", or auto";

  entry.text = [&field] {
    if constexpr (Number<T>::optional) {
      return field ? fmt::format("{}", *field) : std::string("auto");
    } else {
      return fmt::format("{}", field);
    }
  };
  entry.assign = [&field, range, name, allowed = entry.allowed](std::string_view text) {
    if constexpr (Number<T>::optional) {
      if (text == "auto") {
        field.reset();
        return;
      }
    }
    Value number{};
    const Parsed parsed = parse(text, range.infinity_allowed, number);
    if (parsed == Parsed::out_of_reach) {
      refuse(name, text, allowed, fmt::format(", and one that {} bits can hold", 8 * sizeof(Value)));
    }
    if (parsed == Parsed::no_number || !range.contains(static_cast<double>(number))) refuse(name, text, allowed);
    field = number;
  };
  return add_entry(std::move(entry));
}

#define BILEVEL_NUMBER_OPTION(T)                                                         \
  template OptionTable& OptionTable::add_number<T>(std::string, T&, std::string, Range); \
  template OptionTable& OptionTable::add_number<std::optional<T>>(std::string, std::optional<T>&, std::string, Range);
BILEVEL_NUMBER_OPTION(int)
BILEVEL_NUMBER_OPTION(long)
BILEVEL_NUMBER_OPTION(long long)
BILEVEL_NUMBER_OPTION(unsigned)
BILEVEL_NUMBER_OPTION(unsigned long)
BILEVEL_NUMBER_OPTION(unsigned long long)
BILEVEL_NUMBER_OPTION(double)
#undef BILEVEL_NUMBER_OPTION

OptionTable& OptionTable::add(std::string name, bool& field, std::string help) {
  OptionEntry entry;
  entry.name = name;
  entry.help = std::move(help);
  entry.kind = OptionKind::flag;
  entry.allowed = "true or false";
  entry.choices = {"true", "false"};
  entry.text = [&field] { return std::string(field ? "true" : "false"); };
  entry.assign = [&field, name](std::string_view text) {
    if (text != "true" && text != "false") refuse(name, text, "true or false");
    field = text == "true";
  };
  return add_entry(std::move(entry));
}

OptionTable& OptionTable::add(std::string name, std::string& field, std::string help, std::string allowed) {
  OptionEntry entry;
  entry.name = std::move(name);
  entry.help = std::move(help);
  entry.allowed = std::move(allowed);
  entry.text = [&field] { return field; };
  entry.assign = [&field](std::string_view text) { field = text; };
  return add_entry(std::move(entry));
}

namespace {

/// Everything but the present value.
OptionEntry choice_entry(std::string name, std::string help, std::vector<std::string> choices,
                         std::function<void(std::size_t)> put) {
  OptionEntry entry;
  entry.name = name;
  entry.help = std::move(help);
  entry.choices = choices;
  entry.allowed = choices.size() == 1 ? choices.front() : fmt::format("one of {}", fmt::join(choices, ", "));
  entry.assign = [name, choices, put, allowed = entry.allowed](std::string_view text) {
    const auto found = std::find(choices.begin(), choices.end(), text);
    if (found == choices.end()) refuse(name, text, allowed, did_you_mean(text, choices));
    put(static_cast<std::size_t>(found - choices.begin()));
  };
  return entry;
}

}  // namespace

OptionTable& OptionTable::add(std::string name, std::string& field, std::string help, OneOf one_of) {
  const auto put = [&field, choices = one_of.choices](std::size_t i) { field = choices[i]; };
  auto entry = choice_entry(std::move(name), std::move(help), std::move(one_of.choices), put);
  // Whatever stands there, so that assign(text()) refuses what is not allowed.
  entry.text = [&field] { return field; };
  return add_entry(std::move(entry));
}

OptionTable& OptionTable::add_choice(std::string name, std::string help, std::vector<std::string> choices,
                                     std::function<std::size_t()> get, std::function<void(std::size_t)> put) {
  auto entry = choice_entry(name, std::move(help), choices, std::move(put));
  entry.text = [name, choices, get] {
    const std::size_t i = get();
    if (i >= choices.size()) throw std::logic_error("the option '" + name + "' holds a value without a name");
    return choices[i];
  };
  return add_entry(std::move(entry));
}

OptionTable& OptionTable::add(std::string name, std::vector<std::string>& field, std::string help,
                              std::string allowed) {
  OptionEntry entry;
  entry.name = name;
  entry.help = std::move(help);
  entry.kind = OptionKind::list;
  entry.allowed = std::move(allowed);
  entry.items = [&field] { return field; };
  entry.text = [&field] {
    std::vector<std::string> escaped(field.size());
    std::transform(field.begin(), field.end(), escaped.begin(), escape_item);
    return fmt::format("{}", fmt::join(escaped, ","));
  };
  entry.assign_items = [&field, name, allowed_text = entry.allowed](const std::vector<std::string>& items) {
    if (std::find(items.begin(), items.end(), "") != items.end()) {
      refuse(name, fmt::format("{}", fmt::join(items, ",")), allowed_text, ", and no item may be empty");
    }
    field = items;
  };
  entry.assign = [assign_items = entry.assign_items](std::string_view text) { assign_items(split_items(text)); };
  return add_entry(std::move(entry));
}

const OptionEntry* OptionTable::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

const OptionEntry& OptionTable::at(std::string_view name) const {
  if (const auto* entry = find(name)) return *entry;
  throw InvalidOption(fmt::format("unknown option '{}'{}", shown(name), did_you_mean(name, names())));
}

void OptionTable::set(std::string_view name, std::string_view text) { at(name).assign(text); }

std::vector<std::string> OptionTable::names() const {
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.push_back(entry.name);
  return names;
}

std::map<std::string, std::string> OptionTable::all_texts() const {
  std::map<std::string, std::string> texts;
  for (const auto& entry : entries_) texts[entry.name] = entry.text();
  return texts;
}

void OptionTable::take_defaults(const OptionTable& other) {
  for (auto& entry : entries_) {
    if (const auto* same = other.find(entry.name)) entry.default_text = same->default_text;
  }
}

}  // namespace bilevel
