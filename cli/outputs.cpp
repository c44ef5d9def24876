#include "outputs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "bilevel/run_directory.hpp"
#include "bilevel/status.hpp"
#include "pictures/gnuplot.hpp"

namespace bilevel::cli {

namespace fs = std::filesystem;

namespace {

/// The options whose values name what is read.
constexpr std::array<std::string_view, 6> kFileOptions{"train", "valid", "test", "truth", "source", "groups"};

void add_named(std::vector<std::string>& inputs, std::string_view text) {
  if (!text.empty()) inputs.emplace_back(text);
}

/// The whole and its parts: a name that happens to hold a comma or a colon is a name all the same.
void add_parts(std::vector<std::string>& inputs, std::string_view spec) {
  add_named(inputs, spec);
  if (const auto equals = spec.find('='); equals != spec.npos) {
    spec.remove_prefix(equals + 1);
    add_named(inputs, spec);
  }
  while (!spec.empty()) {
    const auto part = spec.substr(0, spec.find(','));
    spec.remove_prefix(std::min(spec.size(), part.size() + 1));
    add_named(inputs, part);
    if (const auto colon = part.find(':'); colon != part.npos) add_named(inputs, part.substr(colon + 1));
  }
}

bool is_within(const fs::path& file, const fs::path& folder) {
  std::error_code error;
  const auto whole = fs::canonical(file, error);
  if (error) return false;
  const auto outer = fs::canonical(folder, error);
  if (error) return false;
  const auto [rest, unused] = std::mismatch(outer.begin(), outer.end(), whole.begin(), whole.end());
  return rest == outer.end();
}

/// Whether replacing `file` would take `input` away, or a part of it.
bool belongs_to(const fs::path& file, const std::string& input) {
  std::error_code error;
  if (!fs::exists(file, error) || !fs::exists(input, error)) return false;
  return fs::equivalent(file, input, error) || (fs::is_directory(input, error) && is_within(file, input));
}

void check_replaced(const fs::path& file, const std::vector<std::string>& inputs, const char* option) {
  for (const auto& input : inputs) {
    if (!belongs_to(file, input)) continue;
    throw InvalidInput(fmt::format("{} would be replaced, but it is read as input{}: choose another {}", file.string(),
                                   file == fs::path(input) ? "" : fmt::format(" ({})", input), option));
  }
}

/// A folder that is still to be made, with the run's directory.
bool is_made_with(const fs::path& folder, const std::string& out) {
  std::error_code error;
  return !out.empty() && !fs::exists(folder, error) &&
         fs::weakly_canonical(folder / "", error) == fs::weakly_canonical(fs::path(out) / "", error);
}

void check_picture(const fs::path& plot, const std::string& out, bool overwrite) {
  picture_format(plot);
  const auto refuse = [&](std::string_view why) {
    throw InvalidInput(
        fmt::format("{}: the picture cannot be drawn there ({}): choose another --plot", plot.string(), why));
  };
  std::error_code error;
  const auto folder = plot.has_parent_path() ? plot.parent_path() : fs::path(".");
  if (is_made_with(folder, out)) return;
  if (!fs::is_directory(folder, error)) refuse("there is no such folder");
  if (access(folder.c_str(), W_OK | X_OK) != 0) refuse("the folder is not writable");
  if (fs::is_directory(plot, error)) refuse("it is a folder");
  if (overwrite || !fs::exists(fs::symlink_status(plot, error)) || is_own_picture(plot)) return;
  throw InvalidInput(
      fmt::format("{} exists and is no picture drawn by bilevel: choose another --plot, or --overwrite to replace it",
                  plot.string()));
}

}  // namespace

std::vector<std::string> inputs_of(const OptionTable& table, const Arguments& words) {
  std::vector<std::string> inputs;
  add_named(inputs, words.operand);
  for (const auto& file : words.config_files) add_named(inputs, file.string());
  for (const auto name : kFileOptions) {
    const auto* entry = table.find(name);
    if (entry == nullptr) continue;
    if (!entry->is_list()) {
      add_parts(inputs, entry->text());
      continue;
    }
    for (const auto& item : entry->items()) add_parts(inputs, item);
  }
  return inputs;
}

void check_outputs(const Outputs& outputs, const std::vector<std::string>& inputs) {
  if (!outputs.plot.empty()) {
    check_replaced(outputs.plot, inputs, "--plot");
    check_picture(outputs.plot, outputs.out, outputs.overwrite);
  }
  if (outputs.out.empty()) return;
  for (const auto& name : outputs.own_files) check_replaced(fs::path(outputs.out) / name, inputs, "--out");
  RunDirectory::check(outputs.out, outputs.overwrite, outputs.own_files);
}

}  // namespace bilevel::cli
