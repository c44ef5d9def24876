// Pieces that the reports of all commands share.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/certificate.hpp"
#include "bilevel/method.hpp"
#include "bilevel/objective.hpp"
#include "bilevel/run.hpp"
#include "terminal/progress_line.hpp"

namespace bilevel::cli {

/// `sentence` wrapped to the terminal behind `head`, its further lines indented by the head's width.
std::string paragraph(std::string_view head, const std::string& sentence);

/// The table "Chosen automatically", or "" if nothing was.
std::string choices_text(const std::vector<const Choices*>& groups);

/// "900 grad_y, 938 hess_yy", or "none".
std::string calls_text(const OracleCounts& counts);
nlohmann::ordered_json calls_json(const OracleCounts& counts);

/// What was used where it differs from what was asked, and why: fields of `used` are replaced, those of `reasons` set.
void add_choices(nlohmann::ordered_json& used, nlohmann::ordered_json& reasons,
                 const std::vector<const Choices*>& groups);

/// How a run ended and what it took, with its certificate if there is one: the end of a data command's report. `what`
/// is the part of `seconds` that the run itself took: "cleaning".
std::string run_end_text(const RunResult& run, const std::optional<Certificate>& certificate, double seconds,
                         std::string_view what);

/// The progress line of a run: the step, the upper objective under the name `upper`, hypergradient, follower residual.
class RunProgress final : public Observer {
 public:
  RunProgress(ProgressLine& line, const StopRule& stop, std::string upper)
      : line_(line), stop_(stop), upper_(std::move(upper)) {}
  void on_step(const TraceRow& row, const OuterMethod::State& state) override;

 private:
  ProgressLine& line_;
  StopRule stop_;
  std::string upper_;
};

}  // namespace bilevel::cli
