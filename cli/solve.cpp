#include "solve.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "bilevel/registry.hpp"
#include "bilevel/run_directory.hpp"
#include "bilevel/solve.hpp"
#include "bilevel/status.hpp"
#include "bilevel/trace.hpp"
#include "data_run.hpp"
#include "interrupt.hpp"
#include "output_options.hpp"
#include "outputs.hpp"
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
           "residuals count as zero up to this share of their terms", between(1e-15, 0.1));
  describe(table, settings.picture);
  table.group("Output")
      .add("out", settings.out, "directory for config.toml, trace.jsonl and result.json; default: no files",
           "a directory")
      .add("overwrite", settings.overwrite, kOverwriteHelp);
  add_printing(table, settings.json, settings.quiet);
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
          "follower), 1 if it is not, 2 for input that cannot be used, 3 if it is printed but a file or the picture is "
          "missing.",
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

MethodChoice choose_method(const Game& game, const SolveSettings& settings, const std::set<std::string>& given) {
  auto chosen = bilevel::choose_method(
      game.problem, {.method = settings.method, .settings = {}, .box_y = game.box_y, .seed = settings.game.seed});
  for (const auto& [name, value] : settings.method_options.settings_for(chosen.name, given)) {
    chosen.settings[name] = value;
    std::erase_if(chosen.choices, [&](const Choice& choice) { return choice.option == name; });
  }
  return chosen;
}

RunResult solve_by_method(const Game& game, const SolveSettings& settings, MethodChoice chosen,
                          const std::vector<Observer*>& observers, SolveOutcome& outcome) {
  auto result = run_choice(game.problem, chosen, settings.stop, observers);
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
  for (auto& finding : explain_end(game.problem, result)) outcome.findings.push_back(std::move(finding));
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

bool is_solved(const SolveOutcome& outcome) {
  const auto verdict = outcome.certificate.verdict;
  return outcome.x.size() > 0 && (verdict == Verdict::local_solution || verdict == Verdict::degenerate_equilibrium);
}

int exit_code(const SolveOutcome& outcome) {
  if (outcome.status == Status::interrupted) return kInterrupted;
  return is_solved(outcome) ? kSuccess : kNoSuccess;
}

/// A game, what it is to be solved with, and where its files go.
struct Task {
  Game game;
  SolveSettings settings;
  std::optional<MethodChoice> chosen;  // empty: --global
  OptionTable used;                    // every option of the run
  std::optional<RunFiles> directory;
};

/// Reads and checks everything, so that what cannot work is refused before anything is computed or written.
void prepare(const Arguments& words, const std::vector<std::string>& arguments, Task& task, SolveOutcome& outcome) {
  auto& [game, settings, chosen, used, directory] = task;
  game = read_game(words.operand);
  OptionTable table = described(settings);
  apply_settings(table, game, words.operand);
  auto given = parse_arguments(text(), table, arguments).given;
  // A method named on the command line need not have the options that the file sets for its own.
  if (given.count("method") == 0) {
    for (const auto& [name, value] : game.settings) given.insert(name);
  }
  settings.stop.interrupt = &catch_interrupts();
  check(settings.picture);
  check_outputs({settings.out, settings.overwrite, own_files(), settings.picture.plot}, inputs_of(table, words));

  if (auto note = perturb(game, settings.game); !note.empty()) outcome.notes.push_back(std::move(note));
  used = table;
  if (!settings.global) {
    chosen = choose_method(game, settings, given);
    settings.method = chosen->name;
    used = settings.method_options.used(table, chosen->name, chosen->settings);
    make_method(chosen->name, chosen->settings)->init(game.problem);
    if (chosen->several_minimisers) {
      outcome.notes.emplace_back(
          "the follower has several local minimisers at the start: this is the solution on the branch that the start "
          "leads to; --global looks at all");
    }
  }
  check(settings.picture, settings.global ? "global" : settings.method);
  outcome.asked = used.all_texts();
  if (settings.out.empty()) return;
  directory.emplace(RunDirectory::create(settings.out, settings.overwrite, own_files()),
                    to_toml(used, "bilevel solve: every option of this run"));
  outcome.directory = directory->path();
}

/// What a picture needs beside the outcome.
struct Course {
  PathObserver path;
  std::optional<RunResult> run;
  std::optional<TraceWriter> trace;
};

void compute(const Task& task, ProgressLine& line, SolveOutcome& outcome, Course& course) {
  const auto& settings = task.settings;
  if (!task.chosen) {
    solve_globally(task.game, settings, line, outcome);
  } else {
    RunProgress progress(line, settings.stop, "f");
    std::vector<Observer*> observers{&progress};
    if (!settings.picture.plot.empty()) observers.push_back(&course.path);
    if (task.directory) observers.push_back(&course.trace.emplace(task.directory->file("trace.jsonl")));
    course.run = solve_by_method(task.game, settings, *task.chosen, observers, outcome);
  }
  if (outcome.x.size() == 0) return;
  outcome.upper = task.game.problem.upper->value(outcome.x, outcome.y);
  outcome.lower = task.game.problem.lower->value(outcome.x, outcome.y);
  outcome.certificate = certify(task.game.problem, outcome.x, outcome.y, certificate_options(settings));
  // Where the run saw f or g fall for ever a look at one point cannot know better.
  if (outcome.status == Status::diverged) {
    outcome.certificate.verdict = Verdict::not_converged;
    outcome.certificate.reason = outcome.message;
    outcome.certificate.advice = "bound the variables, or add a term that keeps them from running away";
  }
}

/// Returns the sentence of a picture that could not be drawn: the answer must not be lost with it.
std::string draw_picture(const Task& task, const Course& course, SolveOutcome& outcome) {
  if (task.settings.picture.plot.empty()) return "";
  try {
    draw_solved(task.settings.picture, {.game = task.game,
                                        .run = course.run ? &*course.run : nullptr,
                                        .path = course.run ? &course.path : nullptr,
                                        .map = outcome.global && outcome.global->map ? &*outcome.global->map : nullptr,
                                        .answer = {outcome.x, outcome.y},
                                        .certified = is_solved(outcome)});
    outcome.picture = task.settings.picture.plot;
  } catch (const Error& error) {
    return error.what();
  }
  return "";
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
  Task task;
  SolveOutcome outcome;
  prepare(words, arguments, task, outcome);
  if (!task.settings.json) write_out(game_text(task.game));

  ProgressLine line(stderr, ProgressLine::mode_for(stderr, task.settings.quiet));
  Course course;
  compute(task, line, outcome, course);
  line.update("drawing ...");
  const auto no_picture = draw_picture(task, course, outcome);
  line.finish();

  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto json = solve_json(task.game, outcome);
  if (task.directory) {
    task.directory->write("result.json", json);
    task.directory->finish(course.trace ? &*course.trace : nullptr);
  }
  write_out(task.settings.json ? json : solve_text(task.game, outcome));
  const int code = exit_code(outcome);
  if (code == kNoSuccess) {
    write_error(fmt::format("bilevel: no certified solution: {}\n",
                            outcome.x.size() == 0 ? outcome.message
                                                  : fmt::format("{}: {}", to_string(outcome.certificate.verdict),
                                                                outcome.certificate.reason)));
  }
  return code_with_missing(code, task.directory ? task.directory->missing() : std::vector<std::string>(), no_picture);
}

}  // namespace

Command solve_command() {
  return {"solve", "solve a game of formulas, with a certificate", run_solve, [] {
            SolveSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
