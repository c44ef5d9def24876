#include "bilevel/trace.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

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
  std::ofstream stream;
};

TraceWriter::TraceWriter(const std::filesystem::path& file) : file_(std::make_unique<File>()) {
  file_->path = file;
  file_->stream.open(file, std::ios::trunc);
  if (!file_->stream) throw InvalidInput(fmt::format("{}: cannot be written", file.string()));
}

TraceWriter::~TraceWriter() = default;

void TraceWriter::on_step(const TraceRow& row, const OuterMethod::State&) {
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
  file_->stream << line.dump() << std::endl;
  if (!file_->stream)
    throw InvalidInput(fmt::format("{}: cannot be written (is the disk full?)", file_->path.string()));
}

}  // namespace bilevel
