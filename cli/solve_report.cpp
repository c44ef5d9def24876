#include "solve_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "certificate_report.hpp"
#include "report.hpp"
#include "terminal/stream.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

constexpr Index kShownEntries = 20;

void add_entries(Table& table, const char* name, const Vec& point, const std::optional<Vec>& known) {
  const Index size = point.size();
  for (Index i = 0; i < std::min(size, kShownEntries); ++i) {
    table.add_row({size == 1 ? std::string(name) : fmt::format("{}[{}]", name, i + 1), fmt::format("{:.10g}", point[i]),
                   known ? fmt::format("{:.10g}", (*known)[i]) : ""});
  }
  if (size > kShownEntries) table.add_row({fmt::format("... {} more", size - kShownEntries), "with --json", ""});
}

std::string answer_text(const Game& game, const SolveOutcome& outcome) {
  const auto& known = game.problem.known;
  std::vector<Column> columns{{"answer"}, {"value", Align::right}, {known ? "known solution" : "", Align::right}};
  Table table(columns);
  add_entries(table, "x", outcome.x, known ? std::optional(known->x) : std::nullopt);
  add_entries(table, "y", outcome.y, known ? std::optional(known->y) : std::nullopt);
  table.add_row({"upper f", fmt::format("{:.10g}", outcome.upper), known ? fmt::format("{:.10g}", known->upper) : ""});
  table.add_row({"lower g", fmt::format("{:.10g}", outcome.lower), ""});
  return table.to_string() + "\n";
}

}  // namespace

std::string solve_text(const Game& game, const SolveOutcome& outcome) {
  std::string text;
  for (const auto& note : outcome.notes) text += paragraph("note: ", note);
  text += choices_text({&outcome.choices});
  if (outcome.global) text += global_text(*outcome.global);
  if (outcome.x.size() > 0) {
    text += answer_text(game, outcome);
    text += certificate_text(outcome.certificate) + "\n";
  }
  for (const auto& finding : outcome.findings) text += paragraph("- ", finding.text);
  text += paragraph("", fmt::format("{}{}: {}", to_string(outcome.status),
                                    outcome.global ? "" : " after " + format_count(outcome.iterations, "leader step"),
                                    outcome.message));
  if (outcome.status != Status::converged && !outcome.global)
    text += paragraph("  ", std::string(advice(outcome.status)));
  text += fmt::format("time          {}\n", format_duration(outcome.seconds));
  text += fmt::format("oracle calls  follower {}\n              leader {}\n", calls_text(outcome.lower_calls),
                      calls_text(outcome.upper_calls));
  if (!outcome.picture.empty()) text += fmt::format("picture       {}\n", outcome.picture);
  if (!outcome.directory.empty()) text += fmt::format("files         {}\n", outcome.directory);
  return text;
}

std::string solve_json(const Game& game, const SolveOutcome& outcome) {
  const bool answered = outcome.x.size() > 0;
  Json used = outcome.asked, reasons = Json::object(), findings = Json::object();
  add_choices(used, reasons, {&outcome.choices});
  for (const auto& finding : outcome.findings) {
    findings[finding.name] = {{"value", number_json(finding.value)}, {"text", finding.text}};
  }
  Json object{
      {"command", "solve"},
      {"name", game.problem.name},
      {"x", vec_json(outcome.x)},
      {"y", vec_json(outcome.y)},
      {"upper", answered ? number_json(outcome.upper) : Json(nullptr)},
      {"lower", answered ? number_json(outcome.lower) : Json(nullptr)},
      {"status", to_string(outcome.status)},
      {"message", outcome.message},
      {"iterations", outcome.iterations},
      {"oracle_calls", {{"lower", calls_json(outcome.lower_calls)}, {"upper", calls_json(outcome.upper_calls)}}},
      {"certificate", answered ? certificate_json(outcome.certificate) : Json(nullptr)}};
  if (outcome.global) {
    object["global"] = global_json(*outcome.global);
    object["branches"] = outcome.global->map ? branches_json(*outcome.global->map) : Json(nullptr);
  }
  object["method"] = outcome.method;
  object["seconds"] = outcome.seconds;
  object["findings"] = findings;
  object["notes"] = outcome.notes;
  object["asked"] = outcome.asked;
  object["used"] = used;
  object["reasons"] = reasons;
  if (!outcome.picture.empty()) object["picture"] = outcome.picture;
  if (!outcome.directory.empty()) object["directory"] = outcome.directory;
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bilevel::cli
