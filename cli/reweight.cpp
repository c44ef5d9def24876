#include "reweight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "arguments.hpp"
#include "bilevel/status.hpp"
#include "bilevel/trace.hpp"
#include "data_run.hpp"
#include "interrupt.hpp"
#include "output_options.hpp"
#include "outputs.hpp"
#include "pictures/gnuplot.hpp"
#include "report.hpp"
#include "reweight_picture.hpp"
#include "reweight_report.hpp"
#include "reweight_settings.hpp"
#include "terminal/progress_line.hpp"
#include "terminal/stream.hpp"

namespace bilevel::cli {

void describe(OptionTable& table, ReweightSettings& settings) {
  describe(table, settings.input);
  describe(table, settings.reweighting);
  table.group("Output").add(
      "seeds", settings.seeds,
      "repetitions, with seed, seed + 1, ...: what the weights' uncertainty is measured by; of a data set each "
      "draws its rows, of files each but the first draws the target's validation rows anew, with replacement",
      between(1, 1000));
  add_run_directory(table, settings.out, settings.overwrite);
  add_picture(table, settings.plot, "weights", "weights.png");
  add_printing(table, settings.json, settings.quiet);
}

namespace {

const CommandText& text() {
  static const CommandText text{
      .name = "reweight",
      .description =
          "Weighs several training sources of unknown quality, so that a model trained on their mixture does best on a "
          "target that you have only few rows of.\n\n"
          "The model (softmax regression, or a network with --hidden) is trained on sum_k p_k (mean loss on source k) "
          "+ c |y|^2, and the weights p = softmax(x) are moved along the derivative of the loss on the target's "
          "validation rows: a source that hurts the target loses its weight, one that helps gains it. c is learned "
          "beside them. Nothing needs tuning; every automatic choice is printed and can be overridden.\n\n"
          "The result is compared with uniform weights, with weights by size and with the target's rows alone, each "
          "with its own best c, on rows of --test where given, over several seeds. The run's files are config.toml "
          "(all options), trace.jsonl (one line a step, one seed after another), result.json and weights.csv (source, "
          "rows, mean, deviation, and a column for each seed).",
      .examples =
          "bilevel reweight --source easy=easy.csv --source web=web.csv --valid target.csv --test test.csv\n"
          "bilevel reweight --source a=ham:mail/a,spam:junk/a --source b=ham:mail/b,spam:junk/b --valid "
          "ham:mine/ham,spam:mine/spam\n"
          "bilevel reweight --dataset fashion-mnist --plot weights.png"};
  return text;
}

const std::vector<std::string>& own_files() {
  static const std::vector<std::string> files{"config.toml", "trace.jsonl", "result.json", "weights.csv"};
  return files;
}

/// Runs seed after seed, the first on `data`; an interrupt keeps those that are done, or the first as far as it came.
std::vector<Repetition> repeat(const ReweightSettings& settings, const ReweightingInput& input, ReweightingData data,
                               TraceWriter& trace, ProgressLine& line) {
  std::vector<Repetition> repetitions;
  RunProgress progress(line, settings.reweighting.stop, "target's loss");
  for (std::size_t i = 0; i < settings.seeds; ++i) {
    auto options = settings.reweighting;
    options.seed += i;
    if (i > 0) data = input.draw(options.seed);
    auto result = reweight(data, options, {&trace, &progress}, [&](std::string_view stage) {
      line.update(settings.seeds > 1 ? fmt::format("seed {} of {}: {} ...", i + 1, settings.seeds, stage)
                                     : fmt::format("{} ...", stage));
    });
    const bool stopped = options.stop.interrupt->load();
    if (!stopped || repetitions.empty()) repetitions.push_back({options.seed, std::move(result)});
    if (stopped) break;
  }
  return repetitions;
}

int code_of(const ReweightSettings& settings, const std::vector<Repetition>& repetitions) {
  if (*settings.reweighting.stop.interrupt) return exit_code(Status::interrupted);
  int code = kSuccess;
  for (const auto& [seed, result] : repetitions) {
    const int of_seed = exit_code(result.run.status);
    if (of_seed == kNoSuccess || of_seed == kBadInput) {
      write_message(fmt::format("seed {}: {}", seed, result.run.message));
    }
    code = std::max(code, of_seed);
  }
  return code;
}

int run_reweight(const std::vector<std::string>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  ReweightSettings settings;
  OptionTable table = described(settings);
  const auto words = parse_arguments(text(), table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), table));
    return kSuccess;
  }
  settings.reweighting.stop.interrupt = &catch_interrupts();
  check_outputs({settings.out, settings.overwrite, own_files(), settings.plot}, inputs_of(table, words));

  ProgressLine line(stderr, ProgressLine::mode_for(stderr, settings.quiet));
  line.update("reading");
  const auto input = read_reweighting_input(settings.input, settings.reweighting.seed);
  auto first = input.draw(settings.reweighting.seed);
  check_reweighting(first, settings.reweighting);
  RunFiles files(open_run_directory(settings.out, settings.overwrite, own_files(), "reweight", settings.input.dataset),
                 to_toml(table, "bilevel reweight: every option of this run"));
  line.finish();
  if (!settings.json) write_out(reweight_input_text(input));

  TraceWriter trace(files.file("trace.jsonl"));
  const auto repetitions = repeat(settings, input, std::move(first), trace, line);
  line.finish();

  files.write("weights.csv", reweight_weights_csv(input, repetitions));
  const auto json = reweight_json(input, repetitions, table, elapsed(), files.path());
  files.write("result.json", json);
  files.finish(&trace);
  const auto no_picture = settings.plot.empty()
                              ? ""
                              : draw_or_say([&] { draw(reweight_picture_script(input, repetitions), settings.plot); });
  if (settings.json) {
    write_out(json);
  } else {
    write_out(reweight_text(input, repetitions, elapsed()));
    write_out(fmt::format("files         {}\n", files.path()));
  }
  return code_with_missing(code_of(settings, repetitions), files.missing(), no_picture);
}

}  // namespace

Command reweight_command() {
  return {"reweight", "weigh training sources of unknown quality for a small target set", run_reweight, [] {
            ReweightSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
