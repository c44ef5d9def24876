#include "check.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "bilevel/audit.hpp"
#include "bilevel/status.hpp"
#include "game_input.hpp"
#include "game_report.hpp"
#include "report.hpp"
#include "terminal/stream.hpp"
#include "terminal/table.hpp"

namespace bilevel::cli {

namespace {

struct CheckSettings {
  GameSettings game;
  AuditOptions audit;
  bool json = false;
};

void describe(OptionTable& table, CheckSettings& settings) {
  describe(table, settings.game);
  table.group("Audit")
      .add("directions", settings.audit.directions, "random directions of the hypergradient", between(1, 1000))
      .add("inner-steps", settings.audit.inner_steps, "k of the unrolled phi^k(x, z) = f(x, A^k(x, z))",
           between(1, 1e6));
  table.group("Output").add("json", settings.json, "print the checks as JSON alone on standard output");
}

const CommandText& text() {
  static const CommandText text{
      .name = "check",
      .description =
          "Checks every derivative of a game by Taylor slope, and its hypergradient against finite differences of the "
          "value function with the follower solved anew. A slope is 2 where a derivative is right and 1 where it is "
          "wrong.\n\nThe exit status is 1 if a check fails. The library offers the same for objectives written by "
          "hand: "
          "audit() in bilevel/audit.hpp.",
      .examples = "bilevel check examples/games/two_wells.toml",
      .operand = "GAME.toml"};
  return text;
}

void add_rows(Table& table, const char* part, const CheckReport& report) {
  for (const auto& check : report.checks) {
    const bool slope = check.measure == Check::Measure::slope;
    table.add_row({part, check.name, slope ? "slope" : "relative error",
                   slope ? fmt::format("{:.2f}", check.measured) : fmt::format("{:.1e}", check.measured),
                   slope ? fmt::format(">= {:.2f}", check.limit) : fmt::format("<= {:.1e}", check.limit),
                   check.passed    ? "ok"
                   : check.at_kink ? "kink"
                                   : "WRONG"});
  }
}

std::string remarks(const CheckReport& report) {
  std::string text;
  for (const auto& check : report.checks) {
    if (!check.passed) text += paragraph(check.at_kink ? "kink: " : "wrong: ", check.name + ": " + check.explanation);
  }
  for (const auto& sentence : report.not_checked) text += paragraph("not checked: ", sentence);
  return text;
}

Json report_json(const CheckReport& report) {
  Json checks = Json::array();
  for (const auto& check : report.checks) {
    checks.push_back({{"name", check.name},
                      {"measure", check.measure == Check::Measure::slope ? "slope" : "relative_error"},
                      {"measured", number_json(check.measured)},
                      {"limit", check.limit},
                      {"passed", check.passed},
                      {"at_kink", check.at_kink},
                      {"explanation", check.explanation}});
  }
  return {{"passed", report.passed()}, {"checks", checks}, {"not_checked", report.not_checked}};
}

// "g is not a number at the start: log(y - 5) at column 3 has the argument -4.8"; "" if f, g and their gradients are
// finite there.
std::string trouble_at_the_start(const BilevelProblem& problem) {
  for (const auto& [letter, objective] : {std::pair{'f', problem.upper.get()}, std::pair{'g', problem.lower.get()}}) {
    const auto at_start = objective->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, problem.x0, problem.y0);
    const double value = *at_start.value;
    if (std::isfinite(value) && all_finite(*at_start.grad_x) && all_finite(*at_start.grad_y)) continue;
    const auto why = objective->explain_nonfinite(problem.x0, problem.y0);
    return fmt::format("{} {} at the start{}{}", letter,
                       std::isnan(value)   ? "is not a number"
                       : std::isinf(value) ? "is infinite"
                                           : "has no finite derivative",
                       why.empty() ? "" : ": ", why);
  }
  return "";
}

// What a failed audit of formulas means: they are differentiated by the program, so first what may be the matter with
// the point.
std::string verdict(const std::string& trouble, const Audit& report) {
  if (!trouble.empty()) return trouble;
  const auto wrong = [](const CheckReport& part) {
    return std::ranges::any_of(part.checks, [](const Check& check) { return !check.passed && !check.at_kink; });
  };
  const bool is_wrong = wrong(report.upper) || wrong(report.lower);
  for (const auto& [letter, part] : {std::pair{'f', &report.upper}, std::pair{'g', &report.lower}}) {
    if (is_wrong || part->passed()) continue;
    const auto at_kink = std::ranges::find_if(part->checks, &Check::at_kink);
    return fmt::format("{} has a kink near the start, where derivatives prove nothing: {}; start elsewhere", letter,
                       at_kink->explanation.substr(at_kink->explanation.find(": ") + 2));
  }
  return "a derivative is wrong, see the checks";
}

int run_check(const std::vector<std::string>& arguments) {
  CheckSettings settings;
  OptionTable table = described(settings);
  const auto words = parse_arguments(text(), table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), table));
    return kSuccess;
  }
  Game game = read_game(words.operand);
  const auto note = perturb(game, settings.game);
  settings.audit.derivatives.seed = settings.game.seed;
  const auto report = audit(game.problem, game.problem.x0, game.problem.y0, settings.audit);
  // The audit looks where derivatives can be checked, beside a start that has no values; a run begins at the start.
  const auto trouble = trouble_at_the_start(game.problem);
  const bool passed = report.passed() && trouble.empty();

  if (settings.json) {
    const Json object{{"command", "check"},
                      {"name", game.problem.name},
                      {"passed", passed},
                      {"upper", report_json(report.upper)},
                      {"lower", report_json(report.lower)},
                      {"hypergradient", report_json(report.hypergradient)}};
    write_out(object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    Table lines({{"of"}, {"check"}, {"measure"}, {"found", Align::right}, {"needed", Align::right}, {""}});
    add_rows(lines, "upper", report.upper);
    add_rows(lines, "lower", report.lower);
    add_rows(lines, "game", report.hypergradient);
    write_out(game_text(game) + (note.empty() ? "" : paragraph("note: ", note)) + lines.to_string() + "\n" +
              remarks(report.upper) + remarks(report.lower) + remarks(report.hypergradient) +
              (passed ? "all checks passed\n" : ""));
  }
  if (passed) return kSuccess;
  write_error(fmt::format("bilevel: {}\n", verdict(trouble, report)));
  return kNoSuccess;
}

}  // namespace

Command check_command() {
  return {"check", "check a game's derivatives, and its hypergradient against the re-solved problem", run_check, [] {
            CheckSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
