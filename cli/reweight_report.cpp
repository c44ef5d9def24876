#include "reweight_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "bilevel/spread.hpp"
#include "certificate_report.hpp"
#include "data_run.hpp"
#include "report.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

using Json = nlohmann::ordered_json;
using Repetitions = std::vector<Repetition>;

/// The models of one repetition, in the order of the table; null where it was not fitted.
struct Model {
  std::string key, name;
  const WeighedModel* (*of)(const ReweightingResult&);
};

const WeighedModel* pointer(const std::optional<WeighedModel>& model) { return model ? &*model : nullptr; }

const std::vector<Model>& models() {
  static const std::vector<Model> all{
      {"uniform", "uniform weights", [](const ReweightingResult& r) { return pointer(r.uniform); }},
      {"by_size", "weights by size", [](const ReweightingResult& r) { return pointer(r.by_size); }},
      {"target_only", "the target's validation rows",
       [](const ReweightingResult& r) { return pointer(r.target_only); }},
      {"learned", "learned weights", [](const ReweightingResult& r) { return &r.learned; }}};
  return all;
}

/// Of each repetition that has it, e.g. of(model) is the test accuracy.
template <class Of>
std::vector<double> collect(const Repetitions& repetitions, const Model& model, const Of& of) {
  std::vector<double> values;
  for (const auto& [seed, result] : repetitions) {
    const auto* fitted = model.of(result);
    const std::optional<double> value = fitted ? std::optional<double>(of(*fitted)) : std::nullopt;
    if (value) values.push_back(*value);
  }
  return values;
}

std::vector<double> weights_of(const Repetitions& repetitions, std::size_t k) {
  std::vector<double> weights;
  for (const auto& [seed, result] : repetitions) weights.push_back((*result.learned.weights)[static_cast<Index>(k)]);
  return weights;
}

std::string spread_text(const std::vector<double>& values, double unit, int digits) {
  if (values.empty()) return "-";
  const auto spread = spread_of(values);
  auto text = fmt::format("{:.{}f}", unit * spread.mean, digits);
  if (values.size() > 1) text += fmt::format(" +- {:.{}f}", unit * spread.deviation, digits);
  return text;
}

std::string bar(double share) {
  constexpr double kWidth = 30;
  return std::string(static_cast<std::size_t>(std::lround(kWidth * std::clamp(share, 0.0, 1.0))), '#');
}

std::size_t all_rows(const ReweightingInput& input) {
  std::size_t rows = 0;
  for (const auto& source : input.sources) rows += source.rows;
  return rows;
}

std::string weights_text(const ReweightingInput& input, const Repetitions& repetitions) {
  Table table({{"source"},
               {"rows", Align::right},
               {"by size", Align::right},
               {"weight", Align::right},
               {"lowest", Align::right},
               {"highest", Align::right},
               {""}},
              fmt::format("Weights of the sources ({})",
                          repetitions.size() > 1 ? fmt::format("mean and deviation over {} seeds", repetitions.size())
                                                 : fmt::format("seed {}", repetitions.front().seed)));
  const auto all = static_cast<double>(all_rows(input));
  for (std::size_t k = 0; k < input.sources.size(); ++k) {
    const auto& source = input.sources[k];
    const auto weights = weights_of(repetitions, k);
    const auto [lowest, highest] = std::minmax_element(weights.begin(), weights.end());
    table.add_row({source.name + (source.planted ? " (planted)" : ""),
                   format_count(static_cast<std::int64_t>(source.rows)),
                   fmt::format("{:.4f}", static_cast<double>(source.rows) / all), spread_text(weights, 1, 4),
                   fmt::format("{:.4f}", *lowest), fmt::format("{:.4f}", *highest), bar(spread_of(weights).mean)});
  }
  std::string text = table.to_string();
  if (repetitions.size() > 1) text += fmt::format("  a seed decides {}\n", input.drawn);
  return text + "\n";
}

std::string margins_text(const Repetitions& repetitions) {
  std::string text;
  std::size_t known = 0, as_good = 0;
  for (const auto& [seed, result] : repetitions) {
    const auto margin = result.margin();
    if (!margin) continue;
    ++known;
    as_good += *margin >= 0;
    text += fmt::format("{}{:+.2f}", text.empty() ? "" : ", ", 100 * *margin);
  }
  if (known == 0) return "";
  return fmt::format(
      "  learned weights against the best of the three, in points of test accuracy: {} ({} of {} at least "
      "as good)\n",
      text, as_good, known);
}

std::string comparison_text(const Repetitions& repetitions) {
  Table table({{"model trained on"},
               {"c", Align::right},
               {"valid loss", Align::right},
               {"valid accuracy", Align::right},
               {"test loss", Align::right},
               {"test accuracy", Align::right}},
              "Comparison on the target");
  for (const auto& model : models()) {
    const auto values = [&](auto of) { return collect(repetitions, model, of); };
    const auto c = values([](const WeighedModel& m) { return std::log(m.regularization); });
    if (c.empty()) continue;
    const auto valid = values([](const WeighedModel& m) { return m.valid_accuracy; });
    const auto test = values([](const WeighedModel& m) { return m.test_accuracy; });
    table.add_row({model.name, fmt::format("{:.1e}", std::exp(spread_of(c).mean)),
                   spread_text(values([](const WeighedModel& m) { return m.valid_loss; }), 1, 4),
                   spread_text(valid, 100, 2) + " %",
                   spread_text(values([](const WeighedModel& m) { return m.test_loss; }), 1, 4),
                   test.empty() ? "-" : spread_text(test, 100, 2) + " %"});
  }
  std::string text = table.to_string();
  if (repetitions.front().result.target_only) {
    text += "  of the validation rows' own model the validation numbers are those of five-fold cross-validation\n";
  }
  return text + margins_text(repetitions) + "\n";
}

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json model_json(const WeighedModel* model) {
  if (model == nullptr) return nullptr;
  Json object{{"regularization", model->regularization},
              {"valid_loss", model->valid_loss},
              {"valid_accuracy", model->valid_accuracy},
              {"test_loss", optional_json(model->test_loss)},
              {"test_accuracy", optional_json(model->test_accuracy)},
              {"fit_status", to_string(model->status)}};
  if (model->weights) object["weights"] = std::vector<double>(model->weights->begin(), model->weights->end());
  return object;
}

Json repetition_json(const Repetition& repetition) {
  const auto& [seed, result] = repetition;
  const auto& run = result.run;
  Json fitted = Json::object();
  for (const auto& model : models()) fitted[model.key] = model_json(model.of(result));
  return {{"seed", seed},
          {"status", to_string(run.status)},
          {"message", run.message},
          {"iterations", run.iterations},
          {"best_iteration", run.best_iteration},
          {"weighing_seconds", run.seconds},
          {"upper", run.best_upper},
          {"models", fitted},
          {"margin", optional_json(result.margin())},
          {"certificate", result.certificate ? certificate_json(*result.certificate) : Json(nullptr)},
          {"oracle_calls", {{"lower", calls_json(run.lower_calls)}, {"upper", calls_json(run.upper_calls)}}}};
}

}  // namespace

std::string reweight_input_text(const ReweightingInput& input) {
  const auto count = [](std::size_t rows) { return format_count(static_cast<std::int64_t>(rows)); };
  Table table({{"rows"}, {"count", Align::right}, {"from"}}, "Read");
  for (const auto& source : input.sources) table.add_row({"source " + source.name, count(source.rows), source.from});
  table.add_row({"target, validation", count(input.valid_rows), input.valid_source});
  if (input.test_rows > 0) table.add_row({"target, test", count(input.test_rows), input.test_source});
  std::string text = table.to_string();
  text += fmt::format("{}, {} classes\n", format_count(static_cast<std::int64_t>(input.features), "feature"),
                      input.class_names.size());
  for (const auto& note : input.notes) text += paragraph("note: ", note);
  return text + "\n";
}

std::string reweight_text(const ReweightingInput& input, const std::vector<Repetition>& repetitions, double seconds) {
  const auto& first = repetitions.front().result;
  std::string text = choices_text({&input.choices, &first.run.choices});
  text += weights_text(input, repetitions);
  text += comparison_text(repetitions);
  std::set<std::string> told;
  for (const auto& [seed, result] : repetitions) {
    for (const auto& warning : result.warnings) {
      if (told.insert(warning).second) text += paragraph("warning: ", warning) + "\n";
    }
  }
  if (repetitions.size() > 1) text += fmt::format("Of seed {}:\n", repetitions.front().seed);
  return text + run_end_text(first.run, first.certificate, seconds, "weighing");
}

std::string reweight_json(const ReweightingInput& input, const std::vector<Repetition>& repetitions,
                          const OptionTable& asked, double seconds, const std::string& directory) {
  const auto& first = repetitions.front().result.run;
  Json used = asked.all_texts(), reasons = Json::object(), sources = Json::array(), runs = Json::array();
  add_choices(used, reasons, {&input.choices, &first.choices});
  for (std::size_t k = 0; k < input.sources.size(); ++k) {
    const auto& source = input.sources[k];
    const auto spread = spread_of(weights_of(repetitions, k));
    sources.push_back({{"name", source.name},
                       {"from", source.from},
                       {"rows", source.rows},
                       {"planted", source.planted},
                       {"weight", spread.mean},
                       {"weight_deviation", spread.deviation}});
  }
  for (const auto& repetition : repetitions) runs.push_back(repetition_json(repetition));
  const Json object{{"command", "reweight"},
                    {"status", to_string(first.status)},
                    {"message", first.message},
                    {"seconds", seconds},
                    {"sources", sources},
                    {"rows",
                     {{"valid", input.valid_rows},
                      {"test", input.test_rows > 0 ? Json(input.test_rows) : Json(nullptr)},
                      {"features", input.features},
                      {"classes", input.class_names.size()}}},
                    {"seeds", runs},
                    {"asked", asked.all_texts()},
                    {"used", used},
                    {"reasons", reasons},
                    {"notes", input.notes},
                    {"directory", directory}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string reweight_weights_csv(const ReweightingInput& input, const std::vector<Repetition>& repetitions) {
  std::string csv = "source,rows,mean,deviation";
  for (const auto& repetition : repetitions) csv += fmt::format(",seed {}", repetition.seed);
  csv += "\n";
  for (std::size_t k = 0; k < input.sources.size(); ++k) {
    const auto weights = weights_of(repetitions, k);
    const auto spread = spread_of(weights);
    csv += fmt::format("{},{},{},{}", csv_field(input.sources[k].name), input.sources[k].rows, spread.mean,
                       spread.deviation);
    for (const double weight : weights) csv += fmt::format(",{}", weight);
    csv += "\n";
  }
  return csv;
}

}  // namespace bilevel::cli
