#include "clean_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "certificate_report.hpp"
#include "data_run.hpp"
#include "report.hpp"
#include "terminal/stream.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

constexpr std::size_t kShown = 20;  // most suspicious rows in the table

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }
std::string percent(const std::optional<double>& share) { return share ? percent(*share) : "-"; }

const std::string& class_name(const CleaningInput& input, std::int32_t label) {
  return input.table.class_names[static_cast<std::size_t>(label)];
}

std::string class_balance(const CleaningInput& input) {
  std::vector<std::int64_t> counts(input.data.classes);
  for (const auto label : input.data.train.labels) ++counts[static_cast<std::size_t>(label)];
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  const auto named = [&](auto position) {
    return fmt::format("{} ({})", format_count(*position),
                       class_name(input, static_cast<std::int32_t>(position - counts.begin())));
  };
  return fmt::format("{} classes; rows per class from {} to {}", input.data.classes, named(least), named(most));
}

void add_model(Table& table, const std::string& name, const FittedModel& model, const std::optional<double>& share) {
  const auto& detection = model.detection;
  table.add_row({name, percent(model.test_accuracy), percent(model.trusted_accuracy),
                 fmt::format("{:.1e}", model.regularization), percent(share),
                 detection ? fmt::format("{:.4f}", detection->f1) : "-",
                 detection ? fmt::format("{:.4f}", detection->auc) : "-"});
}

std::string accuracy_text(const CleaningResult& result) {
  Table table({{"model fitted to"},
               {"test", Align::right},
               {"trusted", Align::right},
               {"c", Align::right},
               {"gap closed", Align::right},
               {"F1", Align::right},
               {"AUC", Align::right}},
              "Accuracy (the same model, each with its c chosen on the trusted rows)");
  if (result.noisy) add_model(table, "before: all rows as they are", *result.noisy, {});
  if (result.trusted) add_model(table, "the trusted rows alone", *result.trusted, {});
  // The row flags are the suspects here: F1 and AUC are those of the weights, not of disagreement.
  FittedModel cleaned = result.cleaned;
  cleaned.detection = result.detection;
  add_model(table, "after: all rows, learned weights", cleaned, result.gap_closed());
  if (result.ceiling) add_model(table, "ceiling: the right rows alone", *result.ceiling, {});
  return table.to_string() + (result.detection
                                  ? "  F1 and AUC: detection of the wrong rows, by the learned weights or else by "
                                    "disagreement with the model\n\n"
                                  : "\n");
}

std::string suspects_text(const CleaningInput& input, const CleaningResult& result) {
  const auto count = static_cast<std::int64_t>(input.data.train.labels.size());
  std::string text = fmt::format("{} of {} are suspect (weight below 0.5), {}\n",
                                 format_count(static_cast<std::int64_t>(result.suspects)), format_count(count, "row"),
                                 percent(static_cast<double>(result.suspects) / static_cast<double>(count)));
  if (const auto& found = result.detection) {
    text += fmt::format("{} are really wrong: precision {:.4f}, recall {:.4f}, F1 {:.4f}, AUC {:.4f}\n",
                        format_count(static_cast<std::int64_t>(found->wrong)), found->precision, found->recall,
                        found->f1, found->auc);
  }
  Table table({{"rank", Align::right},
               {"row", Align::right},
               {"given label"},
               {"suggested label"},
               {"weight", Align::right},
               {"truth"}},
              "\nMost suspicious rows");
  for (std::size_t rank = 0; rank < std::min(kShown, result.ranking.size()); ++rank) {
    const auto row = result.ranking[rank];
    const auto truth = input.data.true_labels ? (*input.data.true_labels)[row] : -1;
    table.add_row({fmt::format("{}", rank + 1), fmt::format("{}", input.row_numbers[row]),
                   class_name(input, input.data.train.labels[row]), class_name(input, result.suggested[row]),
                   fmt::format("{:.4f}", result.weights[row]), truth < 0 ? "not known" : class_name(input, truth)});
  }
  return text + table.to_string() + "\n";
}

std::vector<std::string> warnings(const CleaningInput& input, const CleaningResult& result) {
  auto sentences = result.warnings;
  const std::size_t rows = input.data.train.labels.size();
  const bool held_out = input.table.rows > rows;
  if (held_out && 3 * result.suspects > rows) {
    sentences.push_back(
        "more than a third of the rows are suspect, and no checked rows were given: if labels are that often wrong, so "
        "are those of the rows held out to be trusted, and the suspects are not to be believed; give --valid FILE");
  }
  return sentences;
}

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json accuracy(const std::optional<FittedModel>& model) { return model ? number(model->test_accuracy) : Json(nullptr); }

Json detection_json(const std::optional<Detection>& detection) {
  if (!detection) return nullptr;
  return {{"precision", detection->precision},
          {"recall", detection->recall},
          {"f1", detection->f1},
          {"auc", detection->auc},
          {"flagged", detection->flagged},
          {"wrong", detection->wrong}};
}

}  // namespace

std::string input_text(const CleaningInput& input) {
  Table table({{"rows"}, {"count", Align::right}, {"from"}}, "Read");
  const auto add = [&](const char* name, std::size_t rows, const std::string& source) {
    table.add_row({name, format_count(static_cast<std::int64_t>(rows)), source});
  };
  add("training", input.data.train.labels.size(), input.train_source);
  add("trusted", input.data.trusted.labels.size(), input.trusted_source);
  if (input.data.test) add("test", input.data.test->labels.size(), input.test_source);
  std::string text = table.to_string();
  text +=
      fmt::format("{}, {}\n", format_count(static_cast<std::int64_t>(input.data.train.features.features()), "feature"),
                  class_balance(input));
  for (const auto& note : input.notes) text += paragraph("note: ", note);
  return text + "\n";
}

std::string result_text(const CleaningInput& input, const CleaningResult& result, double seconds) {
  const auto& run = result.run;
  std::string text = choices_text({&input.choices, &run.choices});
  text += accuracy_text(result);
  for (const auto& warning : warnings(input, result)) text += paragraph("warning: ", warning) + "\n";
  text += suspects_text(input, result);
  return text + run_end_text(run, result.certificate, seconds, "cleaning");
}

std::string result_json(const CleaningInput& input, const CleaningResult& result, const OptionTable& asked,
                        double seconds, const std::string& directory) {
  const auto& run = result.run;
  Json used = asked.all_texts(), reasons = Json::object();
  add_choices(used, reasons, {&input.choices, &run.choices});
  Json suspicious = Json::array();
  for (std::size_t rank = 0; rank < std::min(kShown, result.ranking.size()); ++rank) {
    const auto row = result.ranking[rank];
    suspicious.push_back({{"rank", rank + 1},
                          {"row", input.row_numbers[row]},
                          {"label", class_name(input, input.data.train.labels[row])},
                          {"suggested_label", class_name(input, result.suggested[row])},
                          {"weight", result.weights[row]}});
  }
  const Json object{
      {"command", "clean"},
      {"status", to_string(run.status)},
      {"message", run.message},
      {"advice", advice(run.status)},
      {"iterations", run.iterations},
      {"best_iteration", run.best_iteration},
      {"seconds", seconds},
      {"cleaning_seconds", run.seconds},
      {"upper", run.best_upper},
      {"rows",
       {{"train", input.data.train.labels.size()},
        {"trusted", input.data.trusted.labels.size()},
        {"test", input.data.test ? Json(input.data.test->labels.size()) : Json(nullptr)},
        {"features", input.data.train.features.features()},
        {"classes", input.data.classes}}},
      {"suspects", result.suspects},
      {"metrics",
       {{"test_accuracy", number(result.cleaned.test_accuracy)},
        {"valid_accuracy", result.cleaned.trusted_accuracy},
        {"noisy_test_accuracy", accuracy(result.noisy)},
        {"trusted_test_accuracy", accuracy(result.trusted)},
        {"ceiling_test_accuracy", accuracy(result.ceiling)},
        {"gap_closed", number(result.gap_closed())},
        {"detection", detection_json(result.detection)},
        {"noisy_detection", result.noisy ? detection_json(result.noisy->detection) : Json(nullptr)},
        {"trusted_detection", result.trusted ? detection_json(result.trusted->detection) : Json(nullptr)},
        {"ceiling_detection", result.ceiling ? detection_json(result.ceiling->detection) : Json(nullptr)}}},
      {"certificate", result.certificate ? certificate_json(*result.certificate) : Json(nullptr)},
      {"oracle_calls", {{"lower", calls_json(run.lower_calls)}, {"upper", calls_json(run.upper_calls)}}},
      {"asked", asked.all_texts()},
      {"used", used},
      {"reasons", reasons},
      {"notes", input.notes},
      {"warnings", warnings(input, result)},
      {"most_suspicious", suspicious},
      {"directory", directory}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string weights_csv(const CleaningInput& input, const CleaningResult& result) {
  std::vector<std::size_t> rank(result.ranking.size());
  for (std::size_t r = 0; r < rank.size(); ++r) rank[result.ranking[r]] = r + 1;
  std::string csv = "row,label,suggested_label,weight,rank\n";
  for (std::size_t i = 0; i < rank.size(); ++i) {
    csv += fmt::format("{},{},{},{:.9g},{}\n", input.row_numbers[i],
                       csv_field(class_name(input, input.data.train.labels[i])),
                       csv_field(class_name(input, result.suggested[i])), result.weights[i], rank[i]);
  }
  return csv;
}

}  // namespace bilevel::cli
