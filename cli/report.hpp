// Pieces that the reports of all commands share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

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
