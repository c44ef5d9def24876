#include "distill_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "certificate_report.hpp"
#include "data_run.hpp"
#include "report.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }
std::string percent(const std::optional<double>& share) { return share ? percent(*share) : "-"; }

std::int64_t count_of(const LabelledTable& table) { return static_cast<std::int64_t>(table.labels.size()); }

void add_model(Table& table, const std::string& name, std::int64_t rows, const TrainedModel& model,
               const std::string& share) {
  table.add_row({name, format_count(rows), percent(model.test_accuracy), percent(model.valid_accuracy),
                 fmt::format("{:.1e}", model.regularization), share});
}

std::string accuracy_text(const DistillationInput& input, const DistillationResult& result) {
  Table table({{"model trained on"},
               {"rows", Align::right},
               {"test", Align::right},
               {"held out", Align::right},
               {"c", Align::right},
               {"gap closed", Align::right}},
              "Accuracy");
  const auto images = count_of(result.images);
  if (!result.random.empty()) {
    double valid = 0;
    for (const auto& model : result.random) {
      valid += model.valid_accuracy / static_cast<double>(result.random.size());
    }
    const auto spread = result.random_test();
    table.add_row({fmt::format("random rows, mean of {}", result.random.size()), format_count(images),
                   spread ? fmt::format("{} +- {:.2f}", percent(spread->mean), 100 * spread->deviation) : "-",
                   percent(valid), "best", ""});
  }
  add_model(table, "the rows it started from", images, result.start, "");
  add_model(table, "the distilled rows", images, result.distilled, percent(result.gap_closed()));
  if (result.whole) add_model(table, "all training rows", count_of(input.data.train), *result.whole, "");
  return table.to_string() + "\n";
}

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json model_json(const TrainedModel& model) {
  return {{"test_accuracy", number(model.test_accuracy)},
          {"valid_accuracy", model.valid_accuracy},
          {"regularization", model.regularization}};
}

}  // namespace

std::string distill_input_text(const DistillationInput& input) {
  Table table({{"rows"}, {"count", Align::right}, {"from"}}, "Read");
  table.add_row({"training", format_count(count_of(input.data.train)), input.train_source});
  table.add_row({"held out", format_count(count_of(input.data.valid)), "beside these"});
  if (input.data.test) table.add_row({"test", format_count(count_of(*input.data.test)), input.test_source});
  std::string text = table.to_string();
  text += fmt::format("{}, {} classes\n", format_count(input.data.train.rows.cols(), "feature"), input.data.classes);
  for (const auto& note : input.notes) text += paragraph("note: ", note);
  return text + "\n";
}

std::string distill_text(const DistillationInput& input, const DistillationResult& result, double seconds) {
  const auto& run = result.run;
  std::string text = choices_text({&result.choices, &run.choices});
  text += accuracy_text(input, result);
  return text + run_end_text(run, result.certificate, seconds, "distilling");
}

std::string distill_json(const DistillationInput& input, const DistillationResult& result, const OptionTable& asked,
                         double seconds, const std::string& directory, const std::string& picture) {
  const auto& run = result.run;
  Json used = asked.all_texts(), reasons = Json::object(), random = Json::array();
  add_choices(used, reasons, {&result.choices, &run.choices});
  for (const auto& model : result.random) random.push_back(model_json(model));
  const auto spread = result.random_test();
  const Json object{{"command", "distill"},
                    {"status", to_string(run.status)},
                    {"message", run.message},
                    {"iterations", run.iterations},
                    {"best_iteration", run.best_iteration},
                    {"seconds", seconds},
                    {"distilling_seconds", run.seconds},
                    {"upper", run.best_upper},
                    {"rows",
                     {{"distilled", result.images.labels.size()},
                      {"train", input.data.train.labels.size()},
                      {"held_out", input.data.valid.labels.size()},
                      {"test", input.data.test ? Json(input.data.test->labels.size()) : Json(nullptr)},
                      {"features", input.data.train.rows.cols()},
                      {"classes", input.data.classes}}},
                    {"distilled", model_json(result.distilled)},
                    {"start", model_json(result.start)},
                    {"random", random},
                    {"random_test_mean", spread ? Json(spread->mean) : Json(nullptr)},
                    {"random_test_deviation", spread ? Json(spread->deviation) : Json(nullptr)},
                    {"whole", result.whole ? model_json(*result.whole) : Json(nullptr)},
                    {"gap_closed", number(result.gap_closed())},
                    {"certificate", result.certificate ? certificate_json(*result.certificate) : Json(nullptr)},
                    {"oracle_calls", {{"lower", calls_json(run.lower_calls)}, {"upper", calls_json(run.upper_calls)}}},
                    {"asked", asked.all_texts()},
                    {"used", used},
                    {"reasons", reasons},
                    {"notes", input.notes},
                    {"directory", directory},
                    {"picture", picture.empty() ? Json(nullptr) : Json(picture)}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string images_csv(const DistillationInput& input, const DistillationResult& result, bool learned_labels) {
  std::string csv = "label";
  const auto& names = input.table.class_names;
  if (learned_labels) {
    for (const auto& name : names) csv += "," + csv_field("share of " + name);
  }
  const auto rows = input.unscaled(result.images.rows);
  for (Index j = 0; j < rows.cols(); ++j) {
    csv += "," + csv_field(input.table.feature_name(static_cast<std::size_t>(j)));
  }
  csv += '\n';
  for (Index i = 0; i < rows.rows(); ++i) {
    csv += csv_field(names[static_cast<std::size_t>(result.images.labels[static_cast<std::size_t>(i)])]);
    if (learned_labels) {
      for (Index c = 0; c < result.targets.cols(); ++c) csv += fmt::format(",{:.6g}", result.targets(i, c));
    }
    for (Index j = 0; j < rows.cols(); ++j) csv += fmt::format(",{:.6g}", rows(i, j));
    csv += '\n';
  }
  return csv;
}

ContactSheet contact_sheet(const DistillationInput& input, const DistillationResult& result) {
  return {.title = fmt::format("{} distilled images", result.images.labels.size()),
          .images = input.unscaled(result.images.rows),
          .labels = result.images.labels,
          .class_names = input.table.class_names,
          .height = static_cast<Index>(input.table.image_height),
          .width = static_cast<Index>(input.table.image_width)};
}

}  // namespace bilevel::cli
