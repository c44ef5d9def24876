#include "tune.hpp"

#include <fmt/format.h>

#include <chrono>

#include "arguments.hpp"
#include "bilevel/status.hpp"
#include "bilevel/trace.hpp"
#include "data_run.hpp"
#include "interrupt.hpp"
#include "output_options.hpp"
#include "outputs.hpp"
#include "pictures/gnuplot.hpp"
#include "report.hpp"
#include "terminal/progress_line.hpp"
#include "terminal/stream.hpp"
#include "tune_picture.hpp"
#include "tune_report.hpp"
#include "tune_settings.hpp"

namespace bilevel::cli {

void describe(OptionTable& table, TuneSettings& settings) {
  describe(table, settings.input);
  describe(table, settings.tuning);
  add_run_directory(table, settings.out, settings.overwrite);
  add_picture(table, settings.plot, "validation loss", "validation.png");
  add_printing(table, settings.json, settings.quiet);
}

namespace {

const CommandText& text() {
  static const CommandText text{
      .name = "tune",
      .description =
          "Chooses the penalty of a linear model on your own table: one weight for each feature, for each group of "
          "features, for each class, or one for all.\n\n"
          "The model (softmax or logistic regression for classes, least squares for numbers) is fitted to training "
          "rows with the penalty c sum_j exp(x_j) |y_j|^2, and all the weights are moved at once, along the derivative "
          "of the validation loss, so that the fitted model does well on rows that it has not seen: a validation "
          "file, a share held out, or each of K folds in turn. The run starts at the best single weight of a short "
          "grid and stops when the validation loss hardly falls any more. Nothing needs tuning; every automatic choice "
          "is printed and can be overridden.\n\n"
          "The result is compared with the best single weight of a grid of 20 and with no penalty, on rows of --test "
          "where given. The run's files are config.toml (all options), trace.jsonl (one line a step), result.json, "
          "weights.csv (name, log_weight, weight, coefficient_norm), grid.csv (weight, valid_loss) and model.csv (the "
          "final model, fitted to all training rows, for features as they stand in the file).",
      .examples =
          "bilevel tune --train table.csv --label target --test test.csv\n"
          "bilevel tune --train table.csv --valid valid.csv --penalty per-class --out runs/table\n"
          "bilevel tune --dataset fashion-mnist --plot validation.png"};
  return text;
}

const std::vector<std::string>& own_files() {
  static const std::vector<std::string> files{"config.toml", "trace.jsonl", "result.json",
                                              "weights.csv", "grid.csv",    "model.csv"};
  return files;
}

int run_tune(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  TuneSettings settings;
  OptionTable table = described(settings);
  const auto words = parse_arguments(text(), table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), table));
    return kSuccess;
  }
  settings.tuning.stop.interrupt = &catch_interrupts();
  if (!settings.input.groups.empty() && settings.tuning.penalty != PenaltyScale::per_group) {
    throw InvalidOption("option 'groups' needs --penalty per-group: without, nothing has a weight for each group");
  }
  check_outputs({settings.out, settings.overwrite, own_files(), settings.plot}, inputs_of(table, words));

  ProgressLine line(stderr, ProgressLine::mode_for(stderr, settings.quiet));
  line.update("reading");
  const auto input = read_tuning_input(settings.input);
  RunFiles files(open_run_directory(settings.out, settings.overwrite, own_files(), "tune", settings.input.dataset),
                 to_toml(table, "bilevel tune: every option of this run"));
  line.finish();
  if (!settings.json) write_out(tuning_input_text(input));

  RunProgress progress(line, settings.tuning.stop, "validation loss");
  TraceWriter trace(files.file("trace.jsonl"));
  const auto result = tune(input.data, settings.tuning, {&trace, &progress},
                           [&](std::string_view stage) { line.update(std::string(stage) + " ..."); });
  line.finish();

  files.write("weights.csv", tuning_weights_csv(input, settings.tuning.penalty, result));
  files.write("grid.csv", tuning_grid_csv(result));
  files.write("model.csv", tuning_model_csv(input, result));
  const auto json = tuning_json(input, result, table, elapsed(), files.path());
  files.write("result.json", json);
  files.finish(&trace);
  const auto no_picture =
      settings.plot.empty() ? "" : draw_or_say([&] { draw(tuning_picture_script(result), settings.plot); });
  if (settings.json) {
    write_out(json);
  } else {
    write_out(tuning_text(input, settings.tuning.penalty, result, elapsed()));
    write_out(fmt::format("files         {}\n", files.path()));
  }
  const int code = exit_code(result.run.status);
  if (code == kNoSuccess || code == kBadInput) write_message(result.run.message);
  return code_with_missing(code, files.missing(), no_picture);
}

}  // namespace

Command tune_command() {
  return {"tune", "choose a linear model's penalty weights, one for each feature, by hypergradient", run_tune, [] {
            TuneSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
