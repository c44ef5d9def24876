#include "game_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "certificate_report.hpp"
#include "terminal/stream.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

constexpr Index kShownEntries = 4;
constexpr std::size_t kShownRows = 40;

std::string number_text(double value, int digits = 6) { return fmt::format("{:.{}g}", value, digits); }

std::string wrapped(const std::string& text, std::size_t indent = 0) {
  return std::string(indent, ' ') + wrap_text(text, std::min<std::size_t>(terminal_width(), 120), indent) + "\n";
}

std::string more_rows(std::size_t all) {
  return all > kShownRows ? fmt::format("  ... {} more (all with --json)\n", all - kShownRows) : "";
}

std::string ids_text(const std::vector<Index>& ids) {
  std::string text;
  for (const auto id : ids) text += fmt::format("{}{}", text.empty() ? "" : ", ", id);
  return text;
}

std::string branch_kind(const Branch& branch) {
  return branch.is_minimiser() ? "minimisers" : fmt::format("index {}", branch.index);
}

Json event_json(const BranchEvent& event) {
  return {{"kind", to_string(event.kind)},
          {"t", event.t},
          {"x", vec_json(event.x)},
          {"y", vec_json(event.y)},
          {"eigenvalue", number_json(event.eigenvalue)},
          {"accuracy", number_json(event.accuracy)},
          {"branches", event.branches},
          {"text", event.text}};
}

}  // namespace

std::string point_text(const Vec& point, int digits) {
  if (point.size() == 1) return number_text(point[0], digits);
  std::string text;
  const Index shown = point.size() <= kShownEntries + 1 ? point.size() : kShownEntries;
  for (Index i = 0; i < shown; ++i) text += fmt::format("{}{}", i > 0 ? ", " : "(", number_text(point[i], digits));
  if (shown < point.size()) text += fmt::format(", ... {} more", point.size() - shown);
  return text + ")";
}

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json vec_json(const Vec& vec) {
  Json array = Json::array();
  for (const double entry : vec) array.push_back(number_json(entry));
  return array;
}

std::string game_text(const Game& game) {
  std::string text = fmt::format("{}: leader x in R^{}, follower y in R^{}\n", game.problem.name, game.problem.dim_x(),
                                 game.problem.dim_y());
  if (!game.description.empty()) text += wrapped(game.description, 2);
  text += "  upper f = " + wrap_text(game.upper_text, std::min<std::size_t>(terminal_width(), 120), 12) + "\n";
  text += "  lower g = " + wrap_text(game.lower_text, std::min<std::size_t>(terminal_width(), 120), 12) + "\n\n";
  return text;
}

std::string critical_points_text(const CriticalPoints& found, const Vec& x) {
  Table table({{"#", Align::right},
               {"y"},
               {"kind"},
               {"index", Align::right},
               {"eigenvalue nearest 0", Align::right},
               {"g", Align::right},
               {"f", Align::right}},
              fmt::format("Critical points of g at x = {}", point_text(x)));
  for (std::size_t i = 0; i < std::min(found.points.size(), kShownRows); ++i) {
    const auto& p = found.points[i];
    table.add_row({fmt::format("{}", i), point_text(p.y), std::string(to_string(p.kind)), fmt::format("{}", p.index),
                   fmt::format("{:.4g}", p.smallest), number_text(p.lower), number_text(p.upper)});
  }
  std::string text = found.points.empty() ? fmt::format("g has no critical point at x = {}\n", point_text(x))
                                          : table.to_string() + more_rows(found.points.size());
  return text + wrapped(found.completeness) + "\n";
}

Json critical_points_json(const CriticalPoints& found) {
  Json points = Json::array();
  for (const auto& p : found.points) {
    points.push_back({{"y", vec_json(p.y)},
                      {"kind", to_string(p.kind)},
                      {"index", p.index},
                      {"kernel", p.kernel},
                      {"smallest_eigenvalue", number_json(p.smallest)},
                      {"lower", number_json(p.lower)},
                      {"upper", number_json(p.upper)},
                      {"residual", number_json(p.residual)}});
  }
  return {{"points", points},
          {"exhaustive", found.exhaustive},
          {"settled", found.settled},
          {"completeness", found.completeness}};
}

std::string morse_bott_points_text(const std::vector<MorseBottAt>& points) {
  if (points.empty()) return "";
  Table table({{"#", Align::right},
               {"Morse-Bott"},
               {"kernel", Align::right},
               {"gap", Align::right},
               {"dimension", Align::right},
               {"expected", Align::right},
               {"mu", Align::right}},
              "Morse-Bott at degenerate critical points, on samples");
  std::string reasons;
  for (std::size_t i = 0; i < std::min(points.size(), kShownRows); ++i) {
    const auto& [id, r] = points[i];
    const auto known = [](const auto& value) { return value ? fmt::format("{:.4g}", double(*value)) : "?"; };
    table.add_row({fmt::format("{}", id), std::string(to_string(r.verdict)), known(r.kernel_dimension),
                   std::isfinite(r.gap) ? fmt::format("{:.2g}", r.gap) : "-", known(r.critical_dimension),
                   r.kernel_dimension ? fmt::format("{}", r.expected_dimension) : "?", known(r.lojasiewicz)});
    reasons += wrapped(fmt::format("{}: {}", id, r.reason), 2);
  }
  return table.to_string() + more_rows(points.size()) + reasons + "\n";
}

Json morse_bott_points_json(const std::vector<MorseBottAt>& points) {
  Json all = Json::array();
  for (const auto& [id, test] : points) {
    Json entry{{"point", id}};
    entry.update(morse_bott_json(test));
    all.push_back(entry);
  }
  return all;
}

std::string uniform_convexity_text(const UniformConvexityAt& at) {
  return wrapped(fmt::format("Uniform convexity of g at {}: {}", at.id, at.estimate.text)) + "\n";
}

Json uniform_convexity_json(const UniformConvexityAt& at) {
  const auto& e = at.estimate;
  return {{"point", at.id},
          {"verdict", to_string(e.verdict)},
          {"exponent", e.exponent},
          {"modulus", number_json(e.modulus)},
          {"least_exponent", number_json(e.least_exponent)},
          {"largest_exponent", number_json(e.largest_exponent)},
          {"misfit", number_json(e.misfit)},
          {"smallest_radius", e.smallest_radius},
          {"largest_radius", e.largest_radius},
          {"spheres", e.spheres},
          {"samples", e.samples},
          {"text", e.text}};
}

std::string branches_text(const BranchMap& map) {
  const bool one = map.line.from.size() == 1;
  Table table({{"branch", Align::right},
               {"kind"},
               {one ? "from x" : "from t"},
               {one ? "to x" : "to t"},
               {"begins at"},
               {"ends at"},
               {"y, first"},
               {"y, last"},
               {"least f", Align::right}},
              fmt::format("Branches of critical points for x from {} to {}", point_text(map.line.from),
                          point_text(map.line.to)));
  const auto place = [&](const BranchEvent& event) {
    return one && event.x.size() == 1 ? number_text(event.x[0]) : number_text(event.t);
  };
  for (std::size_t i = 0; i < std::min(map.branches.size(), kShownRows); ++i) {
    const auto& b = map.branches[i];
    const auto least = std::min_element(b.points.begin(), b.points.end(),
                                        [](const auto& a, const auto& c) { return a.upper < c.upper; });
    table.add_row({fmt::format("{}", b.id), branch_kind(b), place(b.begin), place(b.end),
                   std::string(to_string(b.begin.kind)), std::string(to_string(b.end.kind)),
                   point_text(b.points.front().y), point_text(b.points.back().y), number_text(least->upper)});
  }
  std::string text = map.branches.empty() ? "no branch of critical points was found\n"
                                          : table.to_string() + more_rows(map.branches.size());
  text += wrapped(map.completeness) + "\n";
  if (map.events.empty()) return text;
  Table events({{"event"}, {one ? "x" : "t", Align::right}, {"+-", Align::right}, {"y"}, {"branches"}},
               "Events on the branches");
  for (std::size_t i = 0; i < std::min(map.events.size(), kShownRows); ++i) {
    const auto& e = map.events[i];
    const double at = one && e.x.size() == 1 ? e.x[0] : e.t;
    events.add_row({std::string(to_string(e.kind)), number_text(at, 10), fmt::format("{:.1e}", e.accuracy),
                    point_text(e.y), ids_text(e.branches)});
  }
  return text + events.to_string() + more_rows(map.events.size()) + "\n";
}

Json branches_json(const BranchMap& map) {
  Json branches = Json::array(), events = Json::array();
  for (const auto& b : map.branches) {
    Json points = Json::array();
    for (const auto& p : b.points) {
      points.push_back({{"t", p.t},
                        {"x", vec_json(p.x)},
                        {"y", vec_json(p.y)},
                        {"smallest_eigenvalue", number_json(p.smallest)},
                        {"lower", number_json(p.lower)},
                        {"upper", number_json(p.upper)}});
    }
    branches.push_back({{"id", b.id},
                        {"index", b.index},
                        {"minimisers", b.is_minimiser()},
                        {"begin", event_json(b.begin)},
                        {"end", event_json(b.end)},
                        {"points", points}});
  }
  for (const auto& e : map.events) events.push_back(event_json(e));
  return {{"from", vec_json(map.line.from)},  {"to", vec_json(map.line.to)}, {"complete", map.complete},
          {"completeness", map.completeness}, {"branches", branches},        {"events", events}};
}

std::string morse_text(const MorseReport& report) {
  std::string text = fmt::format("Parametric Morse qualification: {}\n", to_string(report.verdict));
  for (const auto& sentence : report.evidence) text += "  - " + wrap_text(sentence, 110, 4) + "\n";
  return text + "\n";
}

Json morse_json(const MorseReport& report) {
  Json failures = Json::array(), samples = Json::array();
  for (const auto& event : report.failures) failures.push_back(event_json(event));
  for (const auto& s : report.samples) {
    samples.push_back({{"x", vec_json(s.x)},
                       {"critical_points", s.critical_points},
                       {"minimisers", s.minimisers},
                       {"degenerate", s.degenerate},
                       {"smallest_eigenvalue", number_json(s.smallest)}});
  }
  return {{"verdict", to_string(report.verdict)},
          {"evidence", report.evidence},
          {"bounded", report.bounded},
          {"distance_to_singularity", number_json(report.distance_to_singularity)},
          {"failures", failures},
          {"samples", samples}};
}

std::string recommendation_text(const Recommendation& advice, const std::string& file) {
  std::string command = fmt::format("bilevel solve {} --method {}", file, advice.method);
  for (const auto& [name, value] : advice.settings) command += fmt::format(" --{} {}", name, value);
  std::string text = fmt::format("Recommended: {}\n", command);
  if (advice.several_minimisers) text += fmt::format("         and: bilevel solve {} --global\n", file);
  for (const auto& sentence : advice.reasons) text += "  - " + wrap_text(sentence, 110, 4) + "\n";
  text += fmt::format("  expected: {}{} for a leader step, {:.3g} bytes{}\n",
                      advice.inner_steps > 0 ? fmt::format("{} inner steps, ", advice.inner_steps) : "",
                      format_duration(advice.predicted_seconds), advice.predicted_bytes,
                      advice.memory == "none" ? "" : fmt::format(" for the trajectory ({})", advice.memory));
  return text;
}

Json recommendation_json(const Recommendation& advice) {
  return {{"method", advice.method},
          {"settings", advice.settings},
          {"hypergradient", advice.hypergradient},
          {"memory", advice.memory},
          {"inner_steps", advice.inner_steps},
          {"condition", number_json(advice.condition)},
          {"predicted_bytes", number_json(advice.predicted_bytes)},
          {"predicted_seconds_per_step", number_json(advice.predicted_seconds)},
          {"several_minimisers", advice.several_minimisers},
          {"summary", advice.summary},
          {"reasons", advice.reasons}};
}

std::string global_text(const GlobalResult& result) {
  Table table({{"rank", Align::right},
               {"branch", Align::right},
               {"x"},
               {"y"},
               {"f", Align::right},
               {"g", Align::right},
               {"above the follower's best", Align::right},
               {"optimistic f", Align::right},
               {"pessimistic f", Align::right},
               {"verdict"}},
              "Local solutions on the branches of minimisers");
  for (std::size_t i = 0; i < std::min(result.solutions.size(), kShownRows); ++i) {
    const auto& s = result.solutions[i];
    table.add_row({fmt::format("{}", i + 1), fmt::format("{}", s.branch), point_text(s.x), point_text(s.y),
                   number_text(s.upper, 8), number_text(s.lower),
                   s.follower_is_global ? "0" : number_text(s.follower_gap), number_text(s.optimistic, 8),
                   number_text(s.pessimistic, 8), std::string(to_string(s.certificate.verdict))});
  }
  std::string text = result.solutions.empty() ? "" : table.to_string() + more_rows(result.solutions.size());
  text += wrapped(result.message + "; " + result.completeness);
  if (const auto* best = result.best_with_global_follower()) {
    if (best != result.best()) {
      text +=
          wrapped(fmt::format("if the follower finds its global minimiser, the best of these is x = {} with f = {}; "
                              "rank 1 needs a follower "
                              "that stays in its local minimiser",
                              point_text(best->x), number_text(best->upper, 8)));
    }
  } else if (!result.solutions.empty()) {
    text += wrapped(
        "at none of these is y a global minimiser of g(x, .): they are solutions for a follower that stays "
        "in its local minimiser");
  }
  for (const auto& tie : result.ties) {
    text += wrapped(fmt::format(
        "at x = {} the follower is indifferent between branch {} (y = {}) and branch {} (y = {}): optimistic f = {}, "
        "pessimistic f = {}",
        point_text(tie.x, 10), tie.first, point_text(tie.y_first), tie.second, point_text(tie.y_second),
        number_text(tie.optimistic(), 8), number_text(tie.pessimistic(), 8)));
  }
  for (const auto& sentence : result.open_ends) text += wrapped("open end: " + sentence);
  return text + "\n";
}

Json global_json(const GlobalResult& result) {
  Json solutions = Json::array(), ties = Json::array();
  for (const auto& s : result.solutions) {
    solutions.push_back({{"branch", s.branch},
                         {"x", vec_json(s.x)},
                         {"y", vec_json(s.y)},
                         {"upper", s.upper},
                         {"lower", s.lower},
                         {"follower_gap", s.follower_gap},
                         {"follower_is_global", s.follower_is_global},
                         {"optimistic", number_json(s.optimistic)},
                         {"pessimistic", number_json(s.pessimistic)},
                         {"verdict", to_string(s.certificate.verdict)},
                         {"descents", s.descents},
                         {"message", s.message}});
  }
  for (const auto& t : result.ties) {
    ties.push_back({{"x", vec_json(t.x)},
                    {"branches", {t.first, t.second}},
                    {"y", {vec_json(t.y_first), vec_json(t.y_second)}},
                    {"lower", t.lower},
                    {"optimistic", t.optimistic()},
                    {"pessimistic", t.pessimistic()}});
  }
  return {
      {"solutions", solutions}, {"ties", ties}, {"open_ends", result.open_ends}, {"completeness", result.completeness}};
}

}  // namespace bilevel::cli
