// Options as config.toml and as the manual's tables.
//
// Written as text, so that each key can carry its help as a comment; read by toml++.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "bilevel/options.hpp"
#include "bilevel/status.hpp"
#include "core/shown.hpp"
#include "core/toml.hpp"
#include "core/toml_depth.hpp"

namespace bilevel {

namespace {

constexpr std::size_t kCommentWidth = 100;
// No real file of options comes near.
constexpr std::size_t kLongestText = 100'000;
// Of what toml++ says, which may quote a key of any length.
constexpr std::size_t kLongestReason = 200;

std::string comment(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string commented;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string row = "#";
    for (std::string word; words >> word;) {
      if (row.size() > 1 && row.size() + 1 + word.size() > kCommentWidth) {
        commented += row + "\n";
        row = "#";
      }
      row += " " + word;
    }
    commented += row + "\n";
  }
  return commented;
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\u{:04X}", byte);
    } else {
      result += c;
    }
  }
  return result + "\"";
}

bool is_real(std::string_view text) { return text.find_first_of(".en") != text.npos; }

std::string toml_value(const OptionEntry& entry) {
  if (entry.is_list()) {
    std::string items;
    for (const auto& item : entry.items()) items += (items.empty() ? "" : ", ") + toml_string(item);
    return "[" + items + "]";
  }
  const std::string text = entry.text();
  if (entry.is_flag()) return text;
  if (entry.kind == OptionKind::text || text == "auto") return toml_string(text);
  if (entry.kind == OptionKind::real) return is_real(text) ? text : text + ".0";
  // TOML's integers have 64 bits with a sign; a larger seed stands as a string.
  constexpr std::string_view kLargest = "9223372036854775807";
  const bool fits =
      text.size() < kLargest.size() || text.front() == '-' || (text.size() == kLargest.size() && text <= kLargest);
  return fits ? text : toml_string(text);
}

// The text that OptionEntry::assign takes, or nothing if the node is no such value.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* real = node.as_floating_point()) {
    const auto text = fmt::format("{}", real->get());
    return is_real(text) ? text : text + ".0";  // 20.0 is no integer, although fmt drops its zero
  }
  return std::nullopt;
}

void set_from_node(const OptionEntry& entry, const toml::node& node) {
  const auto* array = node.as_array();
  if (array != nullptr && entry.is_list()) {
    std::vector<std::string> items;
    for (const auto& element : *array) {
      const auto text = text_of(element);
      if (!text) throw InvalidOption(fmt::format("option '{}' must be a list of plain values", entry.name));
      items.push_back(*text);
    }
    entry.assign_items(items);
  } else if (const auto text = text_of(node)) {
    if (entry.is_list()) {
      entry.assign_items({*text});
    } else {
      entry.assign(*text);
    }
  } else {
    const auto* kind = array != nullptr ? "a list" : "a date or time";
    throw InvalidOption(fmt::format("option '{}' cannot be {}: it must be {}", entry.name, kind, entry.allowed));
  }
}

std::string markdown_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    if (c == '<') {
      cell += "&lt;";
    } else {
      cell += c == '\n' ? ' ' : c;
    }
  }
  return cell;
}

}  // namespace

std::string to_toml(const OptionTable& table, std::string_view title) {
  std::string toml = comment(title);
  std::string group;
  for (const auto& entry : table.entries()) {
    if (entry.group != group) {
      group = entry.group;
      toml += fmt::format("\n# ---- {} ----\n", group);
    }
    const auto text = entry.text();
    auto note = entry.help + " (" + entry.allowed;
    if (text != entry.default_text) note += "; default " + (entry.default_text.empty() ? "empty" : entry.default_text);
    toml += "\n" + comment(note + ")") + entry.name + " = " + toml_value(entry) + "\n";
  }
  return toml;
}

void set_from_toml(OptionTable& table, std::string_view toml, std::string_view source) {
  const auto refuse = [&](const toml::source_position& where, std::string_view sentence) {
    throw InvalidOption(fmt::format("{}:{}:{}: {}", source, where.line, where.column, sentence));
  };
  if (toml.size() > kLongestText) {
    throw InvalidOption(
        fmt::format("{}: too long for a file of options, which has at most {} bytes", source, kLongestText));
  }
  if (const auto place = deeper_than(toml, kMostTomlLevels)) {
    throw InvalidOption(fmt::format("{}:{}:{}: not a file of options: nested more than {} levels deep", source,
                                    place->line, place->column, kMostTomlLevels));
  }
  toml::table parsed;
  try {
    parsed = toml::parse(toml, source);
  } catch (const toml::parse_error& error) {
    refuse(error.source().begin, fmt::format("not valid TOML: {}", shown(error.description(), kLongestReason)));
  }

  struct Item {
    toml::source_position where;
    std::string name;
    const toml::node* node;
  };
  std::vector<Item> items;  // in the file's order, so that the first mistake is the one reported
  for (const auto& [key, node] : parsed) items.push_back({key.source().begin, std::string(key.str()), &node});
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.where < b.where; });

  for (const auto& item : items) {
    if (item.node->is_table() || item.node->is_array_of_tables()) {
      refuse(item.where,
             fmt::format("'{}' is a table, but options stand at the top level without tables", shown(item.name)));
    }
    try {
      set_from_node(table.at(item.name), *item.node);
    } catch (const InvalidOption& error) {
      refuse(item.where, error.what());
    }
  }
}

void load_toml(OptionTable& table, const std::filesystem::path& file) {
  const auto refuse = [&](std::string_view why) {
    throw InvalidInput(fmt::format("cannot read the options in '{}': {}", file.string(), why));
  };
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) refuse("it is a folder");
  // Opening a pipe that nobody writes to would wait for ever.
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error)) {
    refuse("it is no regular file");
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse(std::strerror(errno));
  std::string content(kLongestText + 1, '\0');
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (stream.bad()) refuse("the disk reports an error");
  content.resize(static_cast<std::size_t>(stream.gcount()));
  set_from_toml(table, content, file.string());
}

std::string options_markdown(const OptionTable& table) {
  std::string markdown;
  std::optional<std::string> group;
  for (const auto& entry : table.entries()) {
    if (group != entry.group) {
      if (group) markdown += "\n";
      group = entry.group;
      if (!group->empty()) markdown += fmt::format("### {}\n\n", *group);
      markdown += "| option | default | allowed | what it does |\n|---|---|---|---|\n";
    }
    const auto shown = entry.is_flag() ? fmt::format("`--[no-]{}`", entry.name) : fmt::format("`--{}`", entry.name);
    const auto default_text = entry.default_text.empty() ? "" : fmt::format("`{}`", markdown_cell(entry.default_text));
    markdown += fmt::format("| {} | {} | {} | {} |\n", shown, default_text, markdown_cell(entry.allowed),
                            markdown_cell(entry.help));
  }
  return markdown;
}

}  // namespace bilevel
