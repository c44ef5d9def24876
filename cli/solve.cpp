#include "solve.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "bilevel/registry.hpp"
#include "bilevel/run_directory.hpp"
#include "bilevel/status.hpp"
#include "bilevel/trace.hpp"
#include "interrupt.hpp"
#include "report.hpp"
#include "solve_report.hpp"
#include "solve_settings.hpp"
#include "terminal/progress_line.hpp"
#include "terminal/stream.hpp"

namespace bilevel::cli {

void describe(OptionTable& table, SolveSettings& settings) {
  std::vector<std::string> names = method_names();
  names.insert(names.begin(), "auto");
  table.group("Method")
      .add("method", settings.method, "the outer method; auto: the one that `bilevel inspect` recommends",
           one_of(std::move(names)))
      .add("global", settings.global,
           "descend every branch of the follower's local minimisers in the box and return the best of all");
  describe(table, settings.game);
  settings.method_options.describe(table);
  describe(table, settings.stop);
  table.group("Certificate")
      .add("certificate-tolerance", settings.certificate_tolerance,
           "residuals count as zero up to this share of their terms", greater_than(0) & less_than(1));
  describe(table, settings.picture);
  table.group("Output")
      .add("out", settings.out, "directory for config.toml, trace.jsonl and result.json; default: no files",
           "a directory")
      .add("overwrite", settings.overwrite, "replace the files of an earlier run in --out")
      .add("json", settings.json, "print result.json alone on standard output")
      .add("quiet", settings.quiet, "no progress on standard error");
}

namespace {

const CommandText& text() {
  static const CommandText text{
      .name = "solve",
      .description =
          "Solves a leader-follower game written as formulas, and certifies the answer.\n\n"
          "The leader x minimises `upper`, the follower y answers by minimising `lower` for the x it is given. The "
          "file "
          "holds both formulas and a start; docs/games.md teaches it, examples/games/ has many. Every answer comes "
          "with "
          "a certificate that is computed independently of how it was found: what y is to the follower, what (x, y) is "
          "to the leader, and how sure that is.\n\n"
          "The exit status is 0 if the answer is certified a local solution (or an equilibrium with a degenerate "
          "follower), 1 if it is not, 2 for input that cannot be used.",
      .examples =
          "bilevel solve examples/games/two_wells.toml\n"
          "bilevel solve examples/games/two_wells.toml --global --json\n"
          "bilevel solve game.toml --method dpbg --inner-steps 9 --plot landscape.png",
      .operand = "GAME.toml"};
  return text;
}

const std::vector<std::string>& own_files() {
  static const std::vector<std::string> files{"config.toml", "trace.jsonl", "result.json"};
  return files;
}

CertificateOptions certificate_options(const SolveSettings& settings) {
  CertificateOptions options;
  options.tolerance = settings.certificate_tolerance;
  options.seed = settings.game.seed;
  return options;
}

/// The method that is used, its settings, and why it was chosen where that was left to the program.
struct ChosenMethod {
  std::string name;
  std::map<std::string, std::string> settings;
  Choices choices;
  bool several_minimisers = false;
};

ChosenMethod choose_method(const Game& game, const SolveSettings& settings, const std::set<std::string>& given) {
  constexpr Index kSearched = 3;  // up to here a search for the other minimisers takes milliseconds
  if (settings.method != "auto") {
    return {settings.method, settings.method_options.settings_for(settings.method, given), {}, false};
  }
  std::optional<CriticalPoints> found;
  if (game.problem.dim_y() <= kSearched) {
    found = find_critical_points(*game.problem.lower, game.problem.x0, game.box_y, {.seed = settings.game.seed});
  }
  const auto advice = recommend(game.problem, found ? &*found : nullptr);
  ChosenMethod chosen{advice.method, settings.method_options.settings_for(advice.method, given), {}, false};
  chosen.choices.push_back({"method", "auto", advice.method, advice.summary});
  chosen.several_minimisers = advice.several_minimisers;
  for (const auto& [name, value] : advice.settings) {
    if (chosen.settings.try_emplace(name, value).second) {
      chosen.choices.push_back({name, "auto", value, "recommended with the method"});
    }
  }
  return chosen;
}

RunResult solve_by_method(const Game& game, const SolveSettings& settings, const ChosenMethod& chosen,
                          const std::vector<Observer*>& observers, SolveOutcome& outcome) {
  const auto method = make_method(chosen.name, chosen.settings);
  auto result = run(game.problem, *method, settings.stop, observers);
  const bool converged = result.status == Status::converged;
  outcome.method = chosen.name;
  outcome.x = converged ? result.x : result.best_x;
  outcome.y = converged ? result.y : result.best_y;
  outcome.status = result.status;
  outcome.message = result.message;
  outcome.iterations = result.iterations;
  outcome.upper_calls = result.upper_calls;
  outcome.lower_calls = result.lower_calls;
  outcome.choices = chosen.choices;
  outcome.choices.insert(outcome.choices.end(), result.choices.begin(), result.choices.end());
  outcome.findings = result.findings;
  return result;
}

void solve_globally(const Game& game, const SolveSettings& settings, ProgressLine& line, SolveOutcome& outcome) {
  GlobalOptions options;
  options.seed = settings.game.seed;
  options.branches.search.seed = settings.game.seed;
  options.certificate = certificate_options(settings);
  options.interrupt = settings.stop.interrupt;
  options.on_stage = [&](std::string_view stage) { line.update(std::string(stage) + " ..."); };
  auto result = solve_global(game.problem, game.box_x, game.box_y, options);
  outcome.method = "global";
  if (const auto* best = result.best()) {
    outcome.x = best->x;
    outcome.y = best->y;
  }
  outcome.status = result.status;
  outcome.message = result.message;
  outcome.upper_calls = result.upper_calls;
  outcome.lower_calls = result.lower_calls;
  outcome.global = std::move(result);
}

int exit_code(const SolveOutcome& outcome) {
  if (outcome.status == Status::interrupted) return kInterrupted;
  const auto verdict = outcome.certificate.verdict;
  const bool solved = verdict == Verdict::local_solution || verdict == Verdict::degenerate_equilibrium;
  return outcome.x.size() > 0 && solved ? kSuccess : kNoSuccess;
}

int run_solve(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  SolveSettings first;  // only to find the file: its own settings come before those of the command line
  OptionTable first_table = described(first);
  const auto words = parse_arguments(text(), first_table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), first_table));
    return kSuccess;
  }
  Game game = read_game(words.operand);
  SolveSettings settings;
  OptionTable table = described(settings);
  apply_settings(table, game, words.operand);
  auto given = parse_arguments(text(), table, arguments).given;
  for (const auto& [name, value] : game.settings) given.insert(name);
  settings.stop.interrupt = &catch_interrupts();
  check(settings.picture);

  SolveOutcome outcome;
  if (auto note = perturb(game, settings.game); !note.empty()) outcome.notes.push_back(std::move(note));
  std::optional<ChosenMethod> chosen;
  if (!settings.global) chosen = choose_method(game, settings, given);
  if (chosen && chosen->several_minimisers) {
    outcome.notes.emplace_back(
        "the follower has several local minimisers at the start: this is the solution on the branch that the start "
        "leads to; --global looks at all");
  }
  std::optional<RunDirectory> directory;
  if (!settings.out.empty()) {
    directory = RunDirectory::create(settings.out, settings.overwrite, own_files());
    directory->write("config.toml", to_toml(table, "bilevel solve: every option of this run"));
    outcome.directory = directory->path().string();
  }
  if (!settings.json) write_out(game_text(game));

  ProgressLine line(stderr, ProgressLine::mode_for(stderr, settings.quiet));
  PathObserver path;
  std::optional<RunResult> result;
  if (settings.global) {
    solve_globally(game, settings, line, outcome);
  } else {
    RunProgress progress(line, settings.stop, "f");
    std::vector<Observer*> observers{&progress};
    if (!settings.picture.plot.empty()) observers.push_back(&path);
    std::optional<TraceWriter> trace;
    if (directory) observers.push_back(&trace.emplace(directory->file("trace.jsonl")));
    result = solve_by_method(game, settings, *chosen, observers, outcome);
  }
  if (outcome.x.size() > 0) {
    outcome.upper = game.problem.upper->value(outcome.x, outcome.y);
    outcome.lower = game.problem.lower->value(outcome.x, outcome.y);
    outcome.certificate = certify(game.problem, outcome.x, outcome.y, certificate_options(settings));
  }
  if (!settings.picture.plot.empty()) {
    line.update("drawing ...");
    draw_solved(settings.picture, {game,
                                   result ? &*result : nullptr,
                                   result ? &path : nullptr,
                                   outcome.global && outcome.global->map ? &*outcome.global->map : nullptr,
                                   {outcome.x, outcome.y},
                                   outcome.method});
    outcome.picture = settings.picture.plot;
  }
  line.finish();

  outcome.asked = table.all_texts();
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto json = solve_json(game, outcome);
  if (directory) directory->write("result.json", json);
  write_out(settings.json ? json : solve_text(game, outcome));
  const int code = exit_code(outcome);
  if (code == kNoSuccess) {
    write_error(fmt::format("bilevel: no certified solution: {}\n",
                            outcome.x.size() == 0 ? outcome.message
                                                  : fmt::format("{}: {}", to_string(outcome.certificate.verdict),
                                                                outcome.certificate.reason)));
  }
  return code;
}

}  // namespace

Command solve_command() {
  return {"solve", "solve a game of formulas, with a certificate", run_solve, [] {
            SolveSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
