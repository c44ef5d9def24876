#include "clean.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "arguments.hpp"
#include "bilevel/status.hpp"
#include "bilevel/trace.hpp"
#include "clean_report.hpp"
#include "clean_settings.hpp"
#include "data_run.hpp"
#include "interrupt.hpp"
#include "output_options.hpp"
#include "outputs.hpp"
#include "report.hpp"
#include "terminal/progress_line.hpp"
#include "terminal/stream.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

void describe(OptionTable& table, CleanSettings& settings) {
  describe(table, settings.input);
  describe(table, settings.cleaning);
  add_run_directory(table, settings.out, settings.overwrite);
  add_printing(table, settings.json, settings.quiet);
}

namespace {

const CommandText& text() {
  static const CommandText text{
      .name = "clean",
      .description =
          "Finds the mislabelled rows of a training set, and a model that ignores them.\n\n"
          "Every training row gets a weight between 0 and 1. The model (softmax regression) is fitted to the weighted "
          "rows, and the weights are moved so that this model does well on trusted rows: rows that hurt end with a "
          "small weight and are called suspect. Give trusted rows with --valid FILE; a few hundred per class are "
          "plenty. Nothing needs tuning; every automatic choice is printed and can be overridden.\n\n"
          "Files may be CSV, LIBSVM, or a pair of IDX files \"images,labels\", plain or gzip-compressed. The run's "
          "files "
          "are config.toml (all options), trace.jsonl (one line a step), result.json, weights.csv (row, label, "
          "suggested_label, weight, rank) and, for file input, cleaned.csv (the rows that are not suspect).",
      .examples =
          "bilevel clean --dataset fashion-mnist --corrupt 0.5 --seed 1\n"
          "bilevel clean --train people.csv --label income --valid trusted.csv --out runs/people\n"
          "bilevel clean --train images.idx.gz,labels.idx.gz --valid vi.idx.gz,vl.idx.gz --json"};
  return text;
}

const std::vector<std::string>& own_files() {
  static const std::vector<std::string> files{"config.toml", "trace.jsonl", "result.json", "weights.csv",
                                              "cleaned.csv"};
  return files;
}

/// The training file without its suspects. Rows held out from it are believed, so they stay.
void write_cleaned(const CleaningInput& input, const CleaningResult& result, const std::filesystem::path& file) {
  std::vector<std::uint8_t> keep(input.table.rows, 1);
  std::transform(result.weights.begin(), result.weights.end(), keep.begin(),
                 [](double weight) { return weight >= 0.5; });
  data::write_cleaned_csv(file, input.table, keep);
}

int run_clean(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  CleanSettings settings;
  OptionTable table = described(settings);
  const auto words = parse_arguments(text(), table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), table));
    return kSuccess;
  }
  settings.cleaning.stop.interrupt = &catch_interrupts();

  check_outputs({settings.out, settings.overwrite, own_files()}, inputs_of(table, words));
  ProgressLine line(stderr, ProgressLine::mode_for(stderr, settings.quiet));
  line.update("reading");
  const auto input = read_cleaning_input(settings.input);
  RunFiles files(open_run_directory(settings.out, settings.overwrite, own_files(), "clean", settings.input.dataset),
                 to_toml(table, "bilevel clean: every option of this run"));
  line.finish();
  if (!settings.json) write_out(input_text(input));

  RunProgress progress(line, settings.cleaning.stop, "trusted loss");
  TraceWriter trace(files.file("trace.jsonl"));
  const auto result = clean(input.data, settings.cleaning, {&trace, &progress},
                            [&](std::string_view stage) { line.update(std::string(stage) + " ..."); });
  line.finish();

  files.write("weights.csv", weights_csv(input, result));
  if (settings.input.dataset.empty()) {
    files.write("cleaned.csv", [&](const std::filesystem::path& file) { write_cleaned(input, result, file); });
  }
  const auto json = result_json(input, result, table, elapsed(), files.path());
  files.write("result.json", json);
  files.finish(&trace);
  if (settings.json) {
    write_out(json);
  } else {
    write_out(result_text(input, result, elapsed()));
    write_out(fmt::format("files         {}\n", files.path()));
  }
  const int code = exit_code(result.run.status);
  if (code == kBadInput || code == kNoSuccess) write_message(result.run.message);
  return code_with_missing(code, files.missing());
}

}  // namespace

Command clean_command() {
  return {"clean", "find the mislabelled rows of a training set, and a model that ignores them", run_clean, [] {
            CleanSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
