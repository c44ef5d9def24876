#include "bilevel/trace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "bilevel/status.hpp"

namespace bilevel {

namespace {

nlohmann::ordered_json calls(const OracleCounts& counts) {
  nlohmann::ordered_json object;
  for (std::size_t i = 0; i < kOracleCount; ++i) {
    object[std::string(to_string(static_cast<Oracle>(i)))] = counts.calls[i];
  }
  return object;
}

}  // namespace

struct TraceWriter::File {
  std::filesystem::path path;
  int descriptor = -1;
  off_t end = 0;          // of the last whole line
  std::int64_t last = 0;  // the last step with a line
  std::string problem;

  /// Returns 0 or the system's error.
  int append(std::string_view line) {
    while (!line.empty()) {
      const auto written = ::write(descriptor, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return written == 0 ? ENOSPC : errno;
      line.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
  }
};

TraceWriter::TraceWriter(const std::filesystem::path& file) : file_(std::make_unique<File>()) {
  file_->path = file;
  file_->descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file_->descriptor < 0) {
    throw InvalidInput(fmt::format("{}: cannot be written ({})", file.string(), std::strerror(errno)));
  }
}

TraceWriter::~TraceWriter() { close(file_->descriptor); }

const std::string& TraceWriter::problem() const { return file_->problem; }

void TraceWriter::on_step(const TraceRow& row, const OuterMethod::State&) {
  if (!file_->problem.empty()) return;
  // nlohmann-json prints a number that is not finite as null.
  const nlohmann::ordered_json line{{"iteration", row.iteration},
                                    {"seconds", row.seconds},
                                    {"upper", row.report.upper},
                                    {"lower", row.report.lower ? nlohmann::ordered_json(*row.report.lower) : nullptr},
                                    {"hypergradient_norm", row.report.hypergradient_norm},
                                    {"lower_residual", row.report.lower_residual},
                                    {"lower_steps", row.report.lower_steps},
                                    {"upper_calls", calls(row.upper)},
                                    {"lower_calls", calls(row.lower)}};
  const auto text = line.dump() + "\n";
  if (const int reason = file_->append(text); reason != 0) {
    [[maybe_unused]] const int cut = ftruncate(file_->descriptor, file_->end);
    file_->problem = fmt::format("{}: ends at step {}, the rest cannot be written ({})", file_->path.string(),
                                 file_->last, std::strerror(reason));
    return;
  }
  file_->end += static_cast<off_t>(text.size());
  file_->last = row.iteration;
}

}  // namespace bilevel
