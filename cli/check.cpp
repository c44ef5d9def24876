#include "check.hpp"

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
                   check.passed ? "ok" : "WRONG"});
  }
}

std::string remarks(const CheckReport& report) {
  std::string text;
  for (const auto& check : report.checks) {
    if (!check.passed) text += paragraph("wrong: ", check.name + ": " + check.explanation);
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
                      {"explanation", check.explanation}});
  }
  return {{"passed", report.passed()}, {"checks", checks}, {"not_checked", report.not_checked}};
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

  if (settings.json) {
    const Json object{{"command", "check"},
                      {"name", game.problem.name},
                      {"passed", report.passed()},
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
              (report.passed() ? "all checks passed\n" : ""));
  }
  if (report.passed()) return kSuccess;
  write_error("bilevel: a derivative is wrong, see the checks\n");
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
