#include "tune_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "certificate_report.hpp"
#include "data_run.hpp"
#include "report.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

constexpr std::size_t kShown = 5;  // most and least penalised in the table

std::string optional_text(const std::optional<double>& value, std::string_view format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string score_text(const TuningInput& input, const std::optional<double>& score) {
  if (!score) return "-";
  return input.data.classes > 0 ? fmt::format("{:.2f} %", 100 * *score) : fmt::format("{:.4f}", *score);
}

/// What the q-th weight is of: a feature, a class or everything.
std::string group_name(const TuningInput& input, PenaltyScale penalty, std::size_t q) {
  if (penalty == PenaltyScale::per_feature) return input.feature_names[q];
  if (penalty == PenaltyScale::per_class) return input.class_names[q];
  if (penalty == PenaltyScale::per_group) return input.group_names[q];
  return "all features";
}

std::uint64_t gradients(const TuningCost& cost) { return cost.follower[Oracle::grad_y]; }
std::uint64_t products(const TuningCost& cost) { return cost.follower[Oracle::hess_yy]; }

void add_model(Table& table, const TuningInput& input, const std::string& name, const TunedModel& model) {
  const auto count = [](std::uint64_t calls) {
    return calls > 0 ? format_count(static_cast<std::int64_t>(calls)) : "-";
  };
  table.add_row({name, optional_text(model.weight, "{:.2e}"), fmt::format("{:.4f}", model.train_loss),
                 fmt::format("{:.4f}", model.valid_loss), score_text(input, model.valid_score),
                 optional_text(model.test_loss, "{:.4f}"), score_text(input, model.test_score),
                 format_duration(model.cost.cpu_seconds), count(gradients(model.cost)), count(products(model.cost))});
}

std::string comparison_text(const TuningInput& input, const TuningResult& result) {
  const std::string score = input.data.classes > 0 ? "accuracy" : "R^2";
  Table table({{"penalty"},
               {"weight", Align::right},
               {"train loss", Align::right},
               {"valid loss", Align::right},
               {score, Align::right},
               {"test loss", Align::right},
               {score, Align::right},
               {"CPU", Align::right},
               {"gradients", Align::right},
               {"products", Align::right}},
              "Comparison");
  if (result.no_penalty) add_model(table, input, "none", *result.no_penalty);
  if (result.cold_grid) add_model(table, input, "one weight, grid of 20, each from zero", *result.cold_grid);
  if (result.warm_grid) add_model(table, input, "one weight, grid of 20, each from the last", *result.warm_grid);
  const auto weights = result.log_weights.size();
  add_model(table, input, weights == 1 ? "one weight, tuned" : fmt::format("{} weights, tuned", format_count(weights)),
            result.tuned);
  return table.to_string() +
         "  CPU time of all threads and passes of the followers; the tuned row includes its start. Test: the final "
         "models\n\n";
}

std::string weights_text(const TuningInput& input, PenaltyScale penalty, const TuningResult& result) {
  const auto count = static_cast<std::size_t>(result.log_weights.size());
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    return result.log_weights[static_cast<Index>(a)] < result.log_weights[static_cast<Index>(b)];
  });
  Table table({{"penalised"}, {"of"}, {"weight", Align::right}, {"coefficients", Align::right}},
              fmt::format("Weights ({} in all, around the single weight {:.2e})",
                          format_count(static_cast<std::int64_t>(count)), result.base_weight));
  for (std::size_t i = 0; i < count; ++i) {
    if (count > 2 * kShown && i == kShown) table.add_row({"...", "", "", ""});
    if (count > 2 * kShown && i >= kShown && i + kShown < count) continue;
    const auto q = static_cast<Index>(order[i]);
    table.add_row({i == 0           ? "least"
                   : i + 1 == count ? "most"
                                    : "",
                   group_name(input, penalty, order[i]), fmt::format("{:.2e}", std::exp(result.log_weights[q])),
                   fmt::format("{:.3g}", result.coefficient_norms[q])});
  }
  return table.to_string() + "\n";
}

using Json = nlohmann::ordered_json;

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json model_json(const TunedModel& model) {
  return {{"weight", optional_json(model.weight)},
          {"train_loss", model.train_loss},
          {"valid_loss", model.valid_loss},
          {"valid_score", model.valid_score},
          {"test_loss", optional_json(model.test_loss)},
          {"test_score", optional_json(model.test_score)},
          {"cpu_seconds", model.cost.cpu_seconds},
          {"follower_gradients", gradients(model.cost)},
          {"follower_products", products(model.cost)},
          {"follower_status", to_string(model.status)}};
}
Json model_json(const std::optional<TunedModel>& model) { return model ? model_json(*model) : Json(nullptr); }

std::size_t valid_rows(const TuningData& data) {
  std::size_t rows = 0;
  for (const auto& fold : data.folds) rows += fold.valid.features.rows();
  return rows;
}

}  // namespace

std::string tuning_input_text(const TuningInput& input) {
  const auto count = [](std::size_t rows) { return format_count(static_cast<std::int64_t>(rows)); };
  Table table({{"rows"}, {"count", Align::right}, {"from"}}, "Read");
  const auto& data = input.data;
  table.add_row({"training",
                 count(data.folds.size() > 1 ? data.all.features.rows() : data.folds.front().train.features.rows()),
                 input.train_source});
  table.add_row({"validation", count(valid_rows(data)), input.valid_source});
  if (data.test) table.add_row({"test", count(data.test->features.rows()), input.test_source});
  std::string text = table.to_string();
  text += format_count(static_cast<std::int64_t>(data.all.features.features()), "feature");
  text += data.classes > 0 ? fmt::format(", {} classes\n", data.classes)
                           : fmt::format(
                                 ", real targets of mean {:.4g} and deviation {:.4g}; losses are half squares in "
                                 "units of that deviation\n",
                                 input.target_mean, input.target_scale);
  for (const auto& note : input.notes) text += paragraph("note: ", note);
  return text + "\n";
}

std::string tuning_text(const TuningInput& input, PenaltyScale penalty, const TuningResult& result, double seconds) {
  const auto& run = result.run;
  std::string text = choices_text({&input.choices, &run.choices});
  text += comparison_text(input, result);
  for (const auto& warning : result.warnings) text += paragraph("warning: ", warning) + "\n";
  text += weights_text(input, penalty, result);
  return text + run_end_text(run, result.certificate, seconds, "leader steps");
}

std::string tuning_json(const TuningInput& input, const TuningResult& result, const OptionTable& asked, double seconds,
                        const std::string& directory) {
  const auto& run = result.run;
  Json used = asked.all_texts(), reasons = Json::object();
  add_choices(used, reasons, {&input.choices, &run.choices});
  const auto& data = input.data;
  const Json object{{"command", "tune"},
                    {"status", to_string(run.status)},
                    {"message", run.message},
                    {"advice", advice(run.status)},
                    {"iterations", run.iterations},
                    {"best_iteration", run.best_iteration},
                    {"seconds", seconds},
                    {"tuning_seconds", run.seconds},
                    {"upper", result.tuned.valid_loss},
                    {"rows",
                     {{"train", data.folds.front().train.features.rows()},
                      {"valid", valid_rows(data)},
                      {"all", data.all.features.rows()},
                      {"test", data.test ? Json(data.test->features.rows()) : Json(nullptr)},
                      {"folds", data.folds.size()},
                      {"features", data.all.features.features()},
                      {"classes", data.classes}}},
                    {"loss", to_string(result.model.loss)},
                    {"weights", result.log_weights.size()},
                    {"guard_losses", result.guard_losses},
                    {"base_weight", result.base_weight},
                    {"models",
                     {{"tuned", model_json(result.tuned)},
                      {"warm_grid", model_json(result.warm_grid)},
                      {"cold_grid", model_json(result.cold_grid)},
                      {"no_penalty", model_json(result.no_penalty)}}},
                    {"certificate", result.certificate ? certificate_json(*result.certificate) : Json(nullptr)},
                    {"oracle_calls", {{"lower", calls_json(run.lower_calls)}, {"upper", calls_json(run.upper_calls)}}},
                    {"asked", asked.all_texts()},
                    {"used", used},
                    {"reasons", reasons},
                    {"notes", input.notes},
                    {"warnings", result.warnings},
                    {"directory", directory}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string tuning_weights_csv(const TuningInput& input, PenaltyScale penalty, const TuningResult& result) {
  const std::string_view what = penalty == PenaltyScale::per_class   ? "class"
                                : penalty == PenaltyScale::per_group ? "group"
                                                                     : "feature";
  std::string csv = fmt::format("{},log_weight,weight,coefficient_norm\n", what);
  for (Index q = 0; q < result.log_weights.size(); ++q) {
    csv += fmt::format("{},{:.9g},{:.9g},{:.9g}\n", csv_field(group_name(input, penalty, static_cast<std::size_t>(q))),
                       result.log_weights[q], std::exp(result.log_weights[q]), result.coefficient_norms[q]);
  }
  return csv;
}

std::string tuning_grid_csv(const TuningResult& result) {
  std::string csv = "weight,valid_loss\n";
  for (const auto& point : result.grid.empty() ? result.start_grid : result.grid) {
    csv += fmt::format("{:.9g},{:.9g}\n", point.weight, point.valid_loss);
  }
  return csv;
}

std::string tuning_model_csv(const TuningInput& input, const TuningResult& result) {
  const auto features = static_cast<Index>(input.feature_names.size());
  const Vec& y = result.tuned.y;
  const Index scores = y.size() / (features + 1);
  const auto& scaling = input.scaling;
  // The score of x is b + sum_j w_j (x_j - mean_j) scale_j, times the targets' deviation, plus their mean.
  const auto slope = [&](Index c, Index j) {
    const double scale = scaling.scale.empty() ? 1 : scaling.scale[static_cast<std::size_t>(j)];
    return y[c * features + j] * scale * input.target_scale;
  };
  const auto intercept = [&](Index c) {
    double value = y[scores * features + c] * input.target_scale + input.target_mean;
    for (Index j = 0; j < features && !scaling.mean.empty(); ++j) {
      value -= slope(c, j) * scaling.mean[static_cast<std::size_t>(j)];
    }
    return value;
  };
  std::string csv = "feature";
  for (Index c = 0; c < scores; ++c) {
    // Logistic regression has one score: that of the second class against the first.
    const auto name = static_cast<std::size_t>(c) + (scores == 1 && input.data.classes == 2 ? 1 : 0);
    csv += "," + (input.data.classes > 0 ? csv_field(input.class_names[name]) : std::string("target"));
  }
  csv += "\nintercept";
  for (Index c = 0; c < scores; ++c) csv += fmt::format(",{:.9g}", intercept(c));
  csv += "\n";
  for (Index j = 0; j < features; ++j) {
    csv += csv_field(input.feature_names[static_cast<std::size_t>(j)]);
    for (Index c = 0; c < scores; ++c) csv += fmt::format(",{:.9g}", slope(c, j));
    csv += "\n";
  }
  return csv;
}

}  // namespace bilevel::cli
