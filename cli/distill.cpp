#include "distill.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "arguments.hpp"
#include "bilevel/status.hpp"
#include "bilevel/trace.hpp"
#include "data_run.hpp"
#include "distill_report.hpp"
#include "interrupt.hpp"
#include "output_options.hpp"
#include "outputs.hpp"
#include "pictures/gnuplot.hpp"
#include "report.hpp"
#include "terminal/progress_line.hpp"
#include "terminal/stream.hpp"

namespace bilevel::cli {

namespace {

struct DistillSettings {
  DistillationInputOptions input;
  DistillationOptions distillation;
  std::string out;
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};

void describe(OptionTable& table, DistillSettings& settings) {
  describe(table, settings.input);
  describe(table, settings.distillation);
  add_run_directory(table, settings.out, settings.overwrite);
  add_printing(table, settings.json, settings.quiet);
}

const CommandText& text() {
  static const CommandText text{
      .name = "distill",
      .description =
          "Distils a training set into a few images of its own making, such that a model trained on these alone does "
          "well on real data.\n\n"
          "The leader moves the pixels of the images (and their labels, if asked to), the follower trains a model on "
          "them, and the leader's loss is that model's loss on real training rows. The model is softmax regression, or "
          "a network with one hidden layer. It is compared with models trained on as many random real images and on "
          "all rows. Nothing needs tuning.\n\n"
          "The run's files are config.toml (all options), trace.jsonl (one line a step), result.json, images.csv and, "
          "for images, contact_sheet.png.",
      .examples =
          "bilevel distill --dataset fashion-mnist --per-class 10\n"
          "bilevel distill --dataset fashion-mnist --per-class 1 --learn-labels --json\n"
          "bilevel distill --train people.csv --label income --test test.csv --per-class 5"};
  return text;
}

const std::vector<std::string>& own_files() {
  static const std::vector<std::string> files{"config.toml", "trace.jsonl", "result.json", "images.csv",
                                              "contact_sheet.png"};
  return files;
}

int run_distill(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  DistillSettings settings;
  OptionTable table = described(settings);
  const auto words = parse_arguments(text(), table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), table));
    return kSuccess;
  }
  auto& options = settings.distillation;
  options.stop.interrupt = &catch_interrupts();
  check_outputs({settings.out, settings.overwrite, own_files()}, inputs_of(table, words));
  ProgressLine line(stderr, ProgressLine::mode_for(stderr, settings.quiet));
  line.update("reading");
  const auto input = read_distillation_input(settings.input, options.seed);
  check_distillation(input.data, options);
  RunFiles files(open_run_directory(settings.out, settings.overwrite, own_files(), "distill", settings.input.dataset),
                 to_toml(table, "bilevel distill: every option of this run"));
  line.finish();
  if (!settings.json) write_out(distill_input_text(input));

  RunProgress progress(line, options.stop, "loss on real rows");
  TraceWriter trace(files.file("trace.jsonl"));
  const auto result = distil(input.data, options, {&trace, &progress},
                             [&](std::string_view stage) { line.update(std::string(stage) + " ..."); });
  files.write("images.csv", images_csv(input, result, options.learn_labels));
  std::string picture;
  if (input.table.is_image) {
    line.update("drawing ...");
    files.write("contact_sheet.png", [&](const std::filesystem::path& file) {
      draw(contact_sheet_script(contact_sheet(input, result)), file);
      picture = (std::filesystem::path(files.path()) / file.filename()).string();
    });
  }
  line.finish();

  const auto json = distill_json(input, result, table, elapsed(), files.path(), picture);
  files.write("result.json", json);
  files.finish(&trace);
  if (settings.json) {
    write_out(json);
  } else {
    write_out(distill_text(input, result, elapsed()));
    write_out(fmt::format("files         {}\n", files.path()));
    write_out(input.table.is_image ? fmt::format("picture       {}\n", picture)
                                   : "picture       none: the rows are no images\n");
  }
  const int code = exit_code(result.run.status);
  if (code == kBadInput || code == kNoSuccess) write_message(result.run.message);
  return code_with_missing(code, files.missing());
}

}  // namespace

Command distill_command() {
  return {"distill", "a few images of its own making that train as well as many real ones", run_distill, [] {
            DistillSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
