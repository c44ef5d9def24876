#include "arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <stdexcept>

#include "bilevel/status.hpp"
#include "terminal/stream.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

constexpr std::size_t kWidestHelp = 100;
constexpr std::size_t kHelpColumn = 30;

bool is_option(std::string_view word) { return word.size() > 1 && word.substr(0, 2) == "--"; }

const OptionEntry* find_valued(const OptionTable& table, std::string_view name) {
  const auto* entry = table.find(name);
  return entry == nullptr || entry->is_flag() ? nullptr : entry;
}

// CLI11 would take the next option as the value of one that has none, and "--name=" as "--name" without a value.
std::vector<std::string> with_separate_values(const OptionTable& table, const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    words.push_back(word);
    if (word == "--") {
      words.insert(words.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (!is_option(word)) continue;
    const auto equals = word.find('=');
    const auto name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
    const auto* entry = find_valued(table, name);
    const bool is_config = name == "config";
    if (equals != word.npos) {
      if (equals + 1 < word.size()) continue;
      if (const auto* flag = table.find(name); flag != nullptr && flag->is_flag()) flag->assign("");
      if (entry == nullptr && !is_config) continue;
      words.back() = "--" + name;
      words.emplace_back();
    } else if (entry != nullptr || is_config) {
      if (i + 1 == arguments.size() || is_option(arguments[i + 1]) || arguments[i + 1] == "-h") {
        throw InvalidOption(
            fmt::format("option '{}' needs a value: {}", word, is_config ? "a TOML file" : entry->allowed));
      }
      words.push_back(arguments[++i]);
    }
  }
  return words;
}

bool is_plain(const std::string& word) { return word.size() < 2 || word.front() != '-'; }

[[noreturn]] void refuse_word(const OptionTable& table, const std::string& word) {
  if (is_plain(word)) {
    throw InvalidOption(
        fmt::format("unexpected argument '{}': every value stands behind its option, as in --name {}", word, word));
  }
  std::vector<std::string> known{"help", "config"};
  for (const auto& entry : table.entries()) {
    known.push_back(entry.name);
    if (entry.is_flag()) known.push_back("no-" + entry.name);
  }
  const auto shown = word.substr(0, word.find('='));
  const auto name = shown.substr(std::min(shown.size(), shown.find_first_not_of('-')));
  if (std::find(known.begin(), known.end(), name) != known.end()) {  // "-train"
    throw InvalidOption(fmt::format("unknown option '{}'; did you mean '--{}'?", shown, name));
  }
  const auto nearest = nearest_name(name, known);
  throw InvalidOption(fmt::format("unknown option '{}'{}", shown,
                                  nearest.empty() ? "" : fmt::format("; did you mean '--{}'?", nearest)));
}

// The values of a repeated list as one text; a single backslash at an item's end must not swallow the comma.
std::string joined_items(const std::vector<std::string>& values) {
  std::string text;
  for (const auto& value : values) {
    if (!text.empty()) {
      const auto last = text.find_last_not_of('\\');
      const auto backslashes = text.size() - (last == text.npos ? 0 : last + 1);
      text += backslashes % 2 == 1 ? "\\," : ",";
    }
    text += value;
  }
  return text;
}

std::string option_form(const OptionEntry& entry) {
  switch (entry.kind) {
    case OptionKind::flag: return fmt::format("--[no-]{}", entry.name);
    case OptionKind::integer: return fmt::format("--{} N", entry.name);
    case OptionKind::real: return fmt::format("--{} X", entry.name);
    case OptionKind::text: return fmt::format("--{} {}", entry.name, entry.choices.empty() ? "TEXT" : "NAME");
    case OptionKind::list: return fmt::format("--{} TEXT ...", entry.name);
  }
  return "--" + entry.name;
}

std::string help_row(const std::string& form, const std::string& help, std::size_t width) {
  const std::size_t column = std::min(kHelpColumn, width / 3);
  const auto text = wrap_text(help, width, column);
  const auto start = "  " + form;
  if (start.size() + 2 > column) return fmt::format("{}\n{}{}\n", start, std::string(column, ' '), text);
  return fmt::format("{:<{}}{}\n", start, column, text);
}

std::string option_help(const OptionEntry& entry) {
  std::string note;
  if (!entry.is_flag()) note = entry.allowed;
  if (!entry.default_text.empty()) note += (note.empty() ? "default " : "; default ") + entry.default_text;
  return note.empty() ? entry.help : fmt::format("{} ({})", entry.help, note);
}

}  // namespace

Arguments parse_arguments(const CommandText& text, OptionTable& table, const std::vector<std::string>& arguments) {
  for (const auto* own : {"help", "config"}) {
    if (table.find(own) != nullptr) {
      throw std::logic_error(fmt::format("the command '{}' declares the option '{}' again", text.name, own));
    }
  }
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  auto* help = app.add_flag("-h,--help");
  auto* config = app.add_option("--config")->type_size(1)->expected(1)->allow_extra_args(false);
  config->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  std::vector<CLI::Option*> options;
  for (const auto& entry : table.entries()) {
    auto* option = entry.is_flag() ? app.add_flag(fmt::format("--{},!--no-{}", entry.name, entry.name))
                                   : app.add_option("--" + entry.name)->type_size(1)->expected(1);
    options.push_back(option->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
  }

  Arguments result;
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  // Help is given whatever else stands there: who asks for it may be stuck with the rest.
  if (std::find(arguments.begin(), end, "--help") != end) {
    result.help_requested = true;
    return result;
  }
  auto words = with_separate_values(table, arguments);
  std::reverse(words.begin(), words.end());  // the order that CLI11 takes a vector in
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    throw InvalidOption(fmt::format("the command line cannot be read: {}", error.what()));
  }
  if (help->count() > 0) {
    result.help_requested = true;
    return result;
  }
  for (const auto& word : app.remaining()) {
    if (word == "--") continue;
    if (text.operand.empty() || !is_plain(word) || word.empty()) refuse_word(table, word);
    if (!result.operand.empty()) {
      throw InvalidOption(fmt::format("`bilevel {}` takes one {}, but got '{}' and '{}'", text.name, text.operand,
                                      result.operand, word));
    }
    result.operand = word;
  }
  if (!text.operand.empty() && text.operand.front() != '[' && result.operand.empty()) {
    throw InvalidOption(fmt::format("`bilevel {0}` needs a {1}, as in `bilevel {0} {1}`", text.name, text.operand));
  }

  for (const auto& file : config->results()) {
    load_toml(table, file);
    result.config_files.emplace_back(file);
  }
  for (std::size_t i = 0; i < options.size(); ++i) {
    const auto& entry = table.entries()[i];
    const auto& values = options[i]->results();
    if (values.empty()) continue;
    result.given.insert(entry.name);
    if (entry.is_list()) {
      table.set(entry.name, joined_items(values));
    } else {
      for (const auto& value : values) table.set(entry.name, value);
    }
  }
  return result;
}

std::string help_text(const CommandText& text, const OptionTable& table, std::size_t width) {
  if (width == 0) width = std::min(terminal_width(), kWidestHelp);
  const bool has_options = !table.entries().empty();
  auto help = fmt::format("Usage: bilevel {}{}{}{}\n", text.name, text.operand.empty() ? "" : " ", text.operand,
                          has_options ? " [--option value ...]" : "");
  if (!text.description.empty()) help += "\n" + wrap_text(text.description, width) + "\n";
  std::string group;
  bool first = true;
  for (const auto& entry : table.entries()) {
    if (first || entry.group != group) help += fmt::format("\n{}\n", entry.group.empty() ? "Options" : entry.group);
    first = false;
    group = entry.group;
    help += help_row(option_form(entry), option_help(entry), width);
  }
  help += "\nGeneral\n";
  if (has_options) {
    help += help_row("--config FILE",
                     "read options from a TOML file, one `name = value` a line; what stands on the command line wins",
                     width);
  }
  help += help_row("-h, --help", "show this text", width);
  if (!text.examples.empty()) {
    help += "\nExamples\n" + text.examples + (text.examples.back() == '\n' ? "" : "\n");
  }
  return help;
}

}  // namespace bilevel::cli
