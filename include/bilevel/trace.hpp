// trace.jsonl: one JSON object a finished step.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "bilevel/run.hpp"

namespace bilevel {

/// Writes a line after each step and flushes it, so that a killed run keeps every finished step. Keys: iteration,
/// seconds, upper (f), lower (g), hypergradient_norm, lower_residual, lower_steps, upper_calls and lower_calls (oracle
/// -> calls since the start). Numbers have all their digits; one that is not finite is null, since JSON has no word for
/// it; lower is null too where the follower's objective provides no values.
///
/// A line that cannot be written, on a full disk say, must not cost the run: it is taken back, so that the file ends
/// with a whole line, no more are written, and problem() says so.
class TraceWriter final : public Observer {
 public:
  /// Truncates the file; a link in its place is refused. Throws InvalidInput if it cannot be opened.
  explicit TraceWriter(const std::filesystem::path& file);
  ~TraceWriter() override;
  void on_step(const TraceRow& row, const OuterMethod::State& state) override;

  /// "" if every step's line was written, else one sentence: the file, where it ends and why.
  const std::string& problem() const;

 private:
  struct File;
  std::unique_ptr<File> file_;
};

}  // namespace bilevel
