#include "race_settings.hpp"

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "output_options.hpp"

namespace bilevel::cli {

namespace {

// Of a named data set: fewer rows than `bilevel clean` draws, and wrong labels, without which there is nothing to find.
constexpr std::size_t kTrainRows = 5000, kValidRows = 2000;
constexpr double kCorrupt = 0.5;

/// The options that say what is cleaned, as `bilevel clean` declares them.
OptionTable row_options(RaceSettings& settings) {
  OptionTable input, cleaning, rows;
  describe(input, settings.input);
  describe(cleaning, settings.cleaning);
  const auto adopt = [&](OptionEntry entry) { rows.group(entry.group).add(std::move(entry)); };
  for (auto entry : input.entries()) {
    if (entry.name == "seed") continue;  // the race has one
    if (entry.name == "corrupt") entry.help += fmt::format(", but of a named data set {}", kCorrupt);
    adopt(std::move(entry));
  }
  for (const char* name : {"regularization", "penalty-norm", "penalize-intercept", "threads"}) adopt(cleaning.at(name));
  return rows;
}

}  // namespace

RaceSettings::RaceSettings() {
  input.train_rows = kTrainRows;
  input.valid_rows = kValidRows;
  cleaning.penalize_intercept = true;  // with p = 2 makes H invertible: what the theory of most methods asks for
}

void describe(OptionTable& table, RaceSettings& settings) {
  describe(table, settings.race);
  const auto rows = row_options(settings);
  for (const auto& entry : rows.entries()) table.group(entry.group).add(entry);
  table.group("Output")
      .add("out", settings.out, "directory for config.toml, points.csv and result.json; default: no files",
           "a directory")
      .add("overwrite", settings.overwrite, kOverwriteHelp);
  add_picture(table, settings.plot, "curves", "race.png");
  add_printing(table, settings.json, settings.quiet);
}

void settle(RaceSettings& settings, const std::set<std::string>& given, const std::string& game) {
  auto& input = settings.input;
  const bool rows = !input.dataset.empty() || !input.train.empty();
  if (game.empty() && !rows) {
    throw InvalidOption(
        "no problem: give a game file, as in `bilevel race game.toml`, training rows with --train, or a data set's "
        "name with --dataset");
  }
  if (!game.empty() && rows) {
    throw InvalidOption(
        fmt::format("give either a game file or --{}, not both", input.train.empty() ? "dataset" : "train"));
  }
  if (!game.empty()) {
    const auto of_rows = row_options(settings);
    for (const auto& entry : of_rows.entries()) {
      if (given.count(entry.name) == 0) continue;
      throw InvalidOption(
          fmt::format("option '{}' is about rows to be cleaned, but the problem is the game {}", entry.name, game));
    }
    return;
  }
  const auto untouched = [&](const char* name, auto value, auto by_default) {
    return given.count(name) == 0 && value == by_default;  // what a file of --config says is kept, too
  };
  if (input.dataset.empty()) {
    const CleaningInputOptions usual;  // of files all rows are used
    if (untouched("train-rows", input.train_rows, kTrainRows)) input.train_rows = usual.train_rows;
    if (untouched("valid-rows", input.valid_rows, kValidRows)) input.valid_rows = usual.valid_rows;
  } else if (!input.corrupt) {
    input.corrupt = kCorrupt;
  }
  input.seed = settings.race.first_seed;
  settings.cleaning.stop.interrupt = settings.race.interrupt;
}

}  // namespace bilevel::cli
