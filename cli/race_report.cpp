#include "race_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "certificate_report.hpp"
#include "data_run.hpp"
#include "report.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

using Json = nlohmann::ordered_json;

template <class Of>
std::vector<double> collect(const std::vector<RaceRun>& runs, const Of& of) {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(of(run));
  return values;
}

double end_value(const RaceRun& run) { return run.last().value; }

std::string number_text(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "-"; }

/// The median over the seeds that got there, and how many did.
template <class ToTarget>
std::string target_text(std::size_t seeds, const ToTarget& to_target, const std::function<std::string(double)>& text) {
  std::vector<double> reached;
  for (std::size_t s = 0; s < seeds; ++s) {
    if (const auto value = to_target(s)) reached.push_back(*value);
  }
  if (reached.empty()) return "never";
  return reached.size() == seeds ? text(median(reached))
                                 : fmt::format("{} ({}/{})", text(median(reached)), reached.size(), seeds);
}

/// "5 certified local bilevel solution": the verdicts of a method's end points, the most frequent first.
std::string verdicts_text(const std::vector<RaceRun>& runs) {
  std::map<std::string, int> count;
  for (const auto& run : runs) {
    if (run.certificate) ++count[std::string(to_string(run.certificate->verdict))];
  }
  std::vector<std::pair<std::string, int>> sorted(count.begin(), count.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [verdict, times] : sorted) {
    text +=
        fmt::format("{}{}{}", text.empty() ? "" : ", ", sorted.size() > 1 ? fmt::format("{} ", times) : "", verdict);
  }
  return text.empty() ? "-" : text;
}

std::string results_text(const RaceField& field, const RaceOptions& options, const RaceResult& result) {
  std::vector<Column> columns{{"method"},
                              {"phi", Align::right},
                              {"lowest", Align::right},
                              {"highest", Align::right},
                              {"to target", Align::right},
                              {"passes", Align::right}};
  for (const auto& name : field.score_names) columns.push_back({name, Align::right});
  columns.push_back({"wins", Align::right});
  columns.push_back({"steps", Align::right});
  if (options.grid > 0) columns.push_back({"grid's step", Align::right});
  columns.push_back({"end points"});
  const auto seeds = result.best.size();
  Table table(columns, fmt::format("At the end of {} each (medians over {})", format_duration(options.time),
                                   format_count(static_cast<std::int64_t>(seeds), "seed")));
  const auto wins = result.wins();
  for (const auto m : ranking(result)) {
    const auto& runs = result.runs[m];
    const auto values = collect(runs, end_value);
    std::vector<std::string> cells{
        result.methods[m],
        number_text(median(values)),
        number_text(*std::min_element(values.begin(), values.end())),
        number_text(*std::max_element(values.begin(), values.end())),
        target_text(
            seeds, [&](std::size_t s) { return result.seconds_to_target(m, s); }, format_duration),
        target_text(
            seeds, [&](std::size_t s) { return result.passes_to_target(m, s); },
            [](double passes) { return fmt::format("{:.3g}", passes); })};
    for (std::size_t i = 0; i < field.score_names.size(); ++i) {
      const double score = median(collect(runs, [&](const RaceRun& r) { return r.last().scores[i]; }));
      cells.push_back(std::isfinite(score) ? fmt::format("{:.2f}", score) : "-");
    }
    cells.push_back(fmt::format("{}", std::accumulate(wins[m].begin(), wins[m].end(), std::size_t{0})));
    cells.push_back(
        number_text(median(collect(runs, [](const RaceRun& r) { return static_cast<double>(r.last().iteration); }))));
    if (options.grid > 0) {
      cells.push_back(runs.front().grid_step ? fmt::format("{:.3g}", *runs.front().grid_step) : "-");
    }
    cells.push_back(verdicts_text(runs));
    table.add_row(std::move(cells));
  }
  return table.to_string() +
         fmt::format(
             "  phi = f(x, y(x)) with the follower solved again by the judge; target: within {:.3g} % of the best "
             "value of all; wins: against the {} others, seed by seed\n\n",
             100 * options.target_share, result.methods.size() - 1);
}

std::string wins_text(const RaceResult& result) {
  constexpr std::size_t kWidest = 10;  // beyond, the table is wider than a screen: result.json has it
  if (result.methods.size() < 2 || result.methods.size() > kWidest) return "";
  const auto order = ranking(result);
  const auto wins = result.wins();
  std::vector<Column> columns{{"wins of"}};
  for (const auto m : order) columns.push_back({result.methods[m], Align::right});
  Table table(columns, fmt::format("Wins against each other (of {})",
                                   format_count(static_cast<std::int64_t>(result.best.size()), "seed")));
  for (const auto a : order) {
    std::vector<std::string> cells{result.methods[a]};
    for (const auto b : order) cells.push_back(a == b ? "" : fmt::format("{}", wins[a][b]));
    table.add_row(std::move(cells));
  }
  return table.to_string() + "\n";
}

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json run_json(const RaceField& field, const RaceResult& result, std::size_t m, std::size_t s) {
  const auto& run = result.runs[m][s];
  Json points = Json::array();
  for (const auto& point : run.points) {
    Json object{{"seconds", point.seconds},
                {"passes", point.passes},
                {"iteration", point.iteration},
                {"value", finite(point.value)}};
    for (std::size_t i = 0; i < field.score_names.size(); ++i) object[field.score_names[i]] = finite(point.scores[i]);
    points.push_back(object);
  }
  const auto optional = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  return {{"seed", run.seed},
          {"status", to_string(run.status)},
          {"message", run.message},
          {"value", finite(run.last().value)},
          {"seconds_to_target", optional(result.seconds_to_target(m, s))},
          {"passes_to_target", optional(result.passes_to_target(m, s))},
          {"grid_step", optional(run.grid_step)},
          {"points", points},
          {"certificate", run.certificate ? certificate_json(*run.certificate) : Json(nullptr)}};
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  // What is not finite counts as worse than anything.
  for (auto& value : values) value = std::isfinite(value) ? value : std::numeric_limits<double>::infinity();
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

std::vector<std::size_t> ranking(const RaceResult& result) {
  std::vector<std::size_t> order(result.methods.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    return median(collect(result.runs[a], end_value)) < median(collect(result.runs[b], end_value));
  });
  return order;
}

std::string race_text(const RaceField& field, const RaceOptions& options, const RaceResult& result, double seconds) {
  std::string text = results_text(field, options, result) + wins_text(result);
  for (const auto& sentence : result.left_out) text += paragraph("left out: ", sentence);
  for (std::size_t m = 0; m < result.methods.size(); ++m) {
    for (const auto& run : result.runs[m]) {
      if (run.status == Status::budget_reached || run.status == Status::converged) continue;
      text += paragraph("note: ", fmt::format("{}, seed {}, ended early: {}", run.method, run.seed, run.message));
    }
  }
  if (!result.stopped.empty()) text += paragraph("note: ", result.stopped);
  if (!options.settings.empty()) text += fmt::format("set           {}\n", fmt::join(options.settings, ", "));
  if (options.seeds > 1) text += fmt::format("a seed decides {}\n", field.drawn);
  return text + fmt::format("time          {} in all: the methods {}, the judge {}, the certificates {}\n",
                            format_duration(seconds), format_duration(result.seconds.methods),
                            format_duration(result.seconds.judge), format_duration(result.seconds.certificates));
}

std::string race_json(const RaceField& field, const RaceResult& result, const OptionTable& asked, double seconds) {
  Json methods = Json::array();
  const auto wins = result.wins();
  for (const auto m : ranking(result)) {
    Json runs = Json::array(), beaten = Json::object();
    for (std::size_t s = 0; s < result.runs[m].size(); ++s) runs.push_back(run_json(field, result, m, s));
    for (std::size_t other = 0; other < result.methods.size(); ++other) {
      if (other != m) beaten[result.methods[other]] = wins[m][other];
    }
    methods.push_back({{"method", result.methods[m]},
                       {"median_value", finite(median(collect(result.runs[m], end_value)))},
                       {"wins", beaten},
                       {"runs", runs}});
  }
  const auto& spent = result.seconds;
  const Json object{{"command", "race"},
                    {"name", field.name},
                    {"methods", methods},
                    {"best", result.best},
                    {"targets", result.targets},
                    {"left_out", result.left_out},
                    {"stopped", result.stopped.empty() ? Json(nullptr) : Json(result.stopped)},
                    {"seconds", seconds},
                    {"methods_seconds", spent.methods},
                    {"judge_seconds", spent.judge},
                    {"certificate_seconds", spent.certificates},
                    {"asked", asked.all_texts()}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string race_points_csv(const RaceField& field, const RaceResult& result) {
  std::string csv = "method,seed,seconds,passes,iteration,value";
  for (const auto& name : field.score_names) csv += "," + csv_field(name);
  csv += "\n";
  for (const auto& runs : result.runs) {
    for (const auto& run : runs) {
      for (const auto& point : run.points) {
        csv += fmt::format("{},{},{},{},{},{}", run.method, run.seed, point.seconds, point.passes, point.iteration,
                           point.value);
        for (const double score : point.scores) csv += fmt::format(",{}", score);
        csv += "\n";
      }
    }
  }
  return csv;
}

}  // namespace bilevel::cli
