#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "certificate_report.hpp"
#include "terminal/stream.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

std::string paragraph(std::string_view head, const std::string& sentence) {
  return fmt::format("{}{}\n", head, wrap_text(sentence, std::min<std::size_t>(terminal_width(), 120), head.size()));
}

std::string choices_text(const std::vector<const Choices*>& groups) {
  Table table({{"option"}, {"asked"}, {"used"}, {"because"}}, "Chosen automatically");
  for (const auto* choices : groups) {
    for (const auto& choice : *choices) table.add_row({choice.option, choice.asked, choice.used, choice.reason});
  }
  return table.empty() ? "" : table.to_string() + "\n";
}

std::string calls_text(const OracleCounts& counts) {
  std::string text;
  for (std::size_t i = 0; i < kOracleCount; ++i) {
    if (counts.calls[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format_count(static_cast<std::int64_t>(counts.calls[i])),
                        to_string(static_cast<Oracle>(i)));
  }
  return text.empty() ? "none" : text;
}

nlohmann::ordered_json calls_json(const OracleCounts& counts) {
  nlohmann::ordered_json object;
  for (std::size_t i = 0; i < kOracleCount; ++i) {
    object[std::string(to_string(static_cast<Oracle>(i)))] = counts.calls[i];
  }
  return object;
}

void add_choices(nlohmann::ordered_json& used, nlohmann::ordered_json& reasons,
                 const std::vector<const Choices*>& groups) {
  for (const auto* choices : groups) {
    for (const auto& choice : *choices) {
      used[choice.option] = choice.used;
      reasons[choice.option] = choice.reason;
    }
  }
}

std::string run_end_text(const RunResult& run, const std::optional<Certificate>& certificate, double seconds,
                         std::string_view what) {
  std::string text = fmt::format("{} after {}, best at step {}: {}\n", to_string(run.status),
                                 format_count(run.iterations, "leader step"), run.best_iteration, run.message);
  text += fmt::format("  {}\n", advice(run.status));
  if (certificate) text += "\n" + certificate_text(*certificate) + "\n";
  text += fmt::format("time          {} in all, {} of it {}\n", format_duration(seconds), format_duration(run.seconds),
                      what);
  text += fmt::format("oracle calls  follower {}\n              leader {}\n", calls_text(run.lower_calls),
                      calls_text(run.upper_calls));
  return text;
}

void RunProgress::on_step(const TraceRow& row, const OuterMethod::State&) {
  if (!line_.is_due()) return;
  const double by_steps = static_cast<double>(row.iteration) / static_cast<double>(stop_.max_iterations);
  const double done = std::max(by_steps, row.seconds / stop_.time_limit);
  const auto left = time_left_text(done, row.seconds);
  line_.update(fmt::format("step {} of at most {}  {} {:.4f}  |hypergradient| {:.2e}  follower residual {:.2e}{}{}",
                           row.iteration, stop_.max_iterations, upper_, row.report.upper, row.report.hypergradient_norm,
                           row.report.lower_residual, left.empty() ? "" : "  at most ", left));
}

}  // namespace bilevel::cli
