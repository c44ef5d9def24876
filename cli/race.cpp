#include "race.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "arguments.hpp"
#include "bilevel/run_directory.hpp"
#include "bilevel/status.hpp"
#include "data_run.hpp"
#include "interrupt.hpp"
#include "output_options.hpp"
#include "outputs.hpp"
#include "pictures/gnuplot.hpp"
#include "race_picture.hpp"
#include "race_report.hpp"
#include "terminal/progress_line.hpp"
#include "terminal/stream.hpp"

namespace bilevel::cli {

namespace {

const CommandText& text() {
  static const CommandText text{
      .name = "race",
      .description =
          "Races methods on the same problem: same starts, same seeds, and for each the same seconds or passes over "
          "the data.\n\n"
          "The problem is a game file, or the cleaning of rows with wrong labels: of your own files, given as to "
          "`bilevel clean`, or of a data set named by --dataset. Each method runs with its registry defaults but for "
          "what --set gives it, and its own random numbers get the seed; with --grid each may first spend half of its "
          "budget on trying leader step sizes. One judge reads them all: at moments spread over the run the follower "
          "is solved again for the method's x, and f is read there, whatever the method believes; the judge's time is "
          "nobody's. Printed are the end values with their spread over seeds, time and passes to a common target, a "
          "table of wins, and what the certificate says of every end point; --plot draws the curves. Ctrl-C ends the "
          "race; what all methods are through with is kept.",
      .examples =
          "bilevel race examples/games/two_wells.toml --methods smbg,bgs_opt,hg_ms --time 1\n"
          "bilevel race examples/games/pitchfork.toml --passes 5000 --plot race.png\n"
          "bilevel race --dataset fashion-mnist --corrupt 0.5 --time 5 --plot race.png\n"
          "bilevel race --train people.csv --valid checked.csv --test test.csv --methods smbg,soba,f2sa --time 2\n"
          "bilevel race --train ham:mail/ham,spam:mail/junk --corrupt 0.3 --methods soba,saba --set "
          "soba.batch-size=128",
      .operand = "[GAME.toml]"};
  return text;
}

const std::vector<std::string>& own_files() {
  static const std::vector<std::string> files{"config.toml", "points.csv", "result.json"};
  return files;
}

int run_race(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  RaceSettings settings;
  OptionTable table = described(settings);
  const auto words = parse_arguments(text(), table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), table));
    return kSuccess;
  }
  auto& race = settings.race;
  if (std::find(race.methods.begin(), race.methods.end(), "all") != race.methods.end()) race.methods.clear();
  race.interrupt = &catch_interrupts();
  check_race(race);
  settle(settings, words.given, words.operand);
  check_outputs({settings.out, settings.overwrite, own_files(), settings.plot}, inputs_of(table, words));

  ProgressLine line(stderr, ProgressLine::mode_for(stderr, settings.quiet));
  line.update("reading");
  const auto field =
      words.operand.empty() ? cleaning_field(settings) : game_field(read_game(words.operand), race.first_seed);
  std::optional<RunFiles> files;
  if (!settings.out.empty()) {
    files.emplace(RunDirectory::create(settings.out, settings.overwrite, own_files()),
                  to_toml(table, "bilevel race: every option of this run"));
  }
  line.finish();
  if (!settings.json) write_out(fmt::format("{}\n\n{}", field.name, field.about));
  const auto result =
      bilevel::race(field.problem, race, [&](std::string_view stage) { line.update(std::string(stage) + " ..."); });
  line.finish();
  if (result.best.empty()) {
    write_error("bilevel: stopped before a method was through: there is nothing to compare\n");
    return kInterrupted;
  }

  const auto json = race_json(field, result, table, elapsed());
  if (files) {
    files->write("points.csv", race_points_csv(field, result));
    files->write("result.json", json);
    files->finish();
  }
  const auto no_picture =
      settings.plot.empty() ? "" : draw_or_say([&] { draw(race_picture_script(field, race, result), settings.plot); });
  write_out(settings.json ? json : race_text(field, race, result, elapsed()));
  return code_with_missing(race.interrupt->load() ? kInterrupted : kSuccess,
                           files ? files->missing() : std::vector<std::string>(), no_picture);
}

}  // namespace

Command race_command() {
  return {"race", "compare methods on one problem with equal budgets and one judge", run_race, [] {
            RaceSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
