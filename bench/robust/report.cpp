#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace bilevel::robust {

namespace {

template <class Vector>
std::string numbers(const Vector& values) {
  constexpr Index kShown = 6;
  std::string text = "(";
  for (Index i = 0; i < std::min(kShown, values.size()); ++i) {
    text += fmt::format("{}{:.8g}", i == 0 ? "" : ", ", static_cast<double>(values[i]));
  }
  return text + (values.size() > kShown ? fmt::format(", .. {} in all)", values.size()) : ")");
}

std::vector<std::string> distinct(const std::vector<Cell>& cells, std::string Cell::*key) {
  std::vector<std::string> names;
  for (const auto& cell : cells) {
    if (std::find(names.begin(), names.end(), cell.*key) == names.end()) names.push_back(cell.*key);
  }
  return names;
}

}  // namespace

std::string table_text(const std::vector<Cell>& cells) {
  constexpr int kWidth = 15;
  const auto methods = distinct(cells, &Cell::method);
  const auto of = [&](const std::string& family, const std::string& method) {
    return std::find_if(cells.begin(), cells.end(),
                        [&](const Cell& cell) { return cell.family == family && cell.method == method; });
  };
  std::string text = "share solved in %, and median oracle calls\n";
  text += fmt::format("{:<16}", "");
  for (const auto& method : methods) text += fmt::format("{:>{}}", method, kWidth);
  text += '\n';
  struct Totals {
    std::size_t attempts = 0, solved = 0, claimed_falsely = 0, worse = 0;
    double seconds = 0;
  };
  std::map<std::string, Totals> totals;
  for (const auto& family : distinct(cells, &Cell::family)) {
    text += fmt::format("{:<16}", family);
    for (const auto& method : methods) {
      const auto cell = of(family, method);
      if (cell == cells.end() || cell->attempts.empty()) {
        text += fmt::format("{:>{}}", "-", kWidth);
        continue;
      }
      const auto solved = cell->count(is_solved);
      text += fmt::format("{:>7.1f}{:>{}}",
                          100.0 * static_cast<double>(solved) / static_cast<double>(cell->attempts.size()),
                          cell->median_calls(), kWidth - 7);
      auto& total = totals[method];
      total.attempts += cell->attempts.size();
      total.solved += solved;
      total.claimed_falsely += cell->count(is_false);
      total.worse += cell->count(is_worse);
      for (const auto& attempt : cell->attempts) total.seconds += attempt.seconds;
    }
    text += '\n';
  }
  const auto row = [&](const char* name, const auto& value) {
    text += fmt::format("{:<16}", name);
    for (const auto& method : methods) text += fmt::format("{:>{}}", value(totals[method]), kWidth);
    text += '\n';
  };
  row("all", [](const Totals& all) {
    return fmt::format("{:.2f}", 100.0 * static_cast<double>(all.solved) / static_cast<double>(all.attempts));
  });
  row("instances", [](const Totals& all) { return std::to_string(all.attempts); });
  row("falsely claimed", [](const Totals& all) { return std::to_string(all.claimed_falsely); });
  row("worse than start", [](const Totals& all) { return std::to_string(all.worse); });
  row("seconds each",
      [](const Totals& all) { return fmt::format("{:.3g}", all.seconds / static_cast<double>(all.attempts)); });
  return text;
}

std::string instance_text(const Instance& instance) {
  const auto& problem = instance.problem;
  return fmt::format(
      "{} ({}): n = {}, m = {}\n  start      x {} y {}\n             phi {:.12g} with the follower's answer {}\n"
      "  reference  x {} y {} in the game's units{}\n             phi {:.12g}\n",
      problem.name, instance.variant, problem.dim_x(), problem.dim_y(), numbers(problem.x0), numbers(problem.y0),
      static_cast<double>(instance.start.value), numbers(instance.start.y), numbers(instance.reference.x),
      numbers(instance.reference.y),
      instance.units.x.size() == 0 ? std::string()
                                   : fmt::format(" (x = {} times the problem's)", numbers(instance.units.x)),
      static_cast<double>(instance.reference.value));
}

std::string failures_text(const Cell& cell, std::uint64_t seed) {
  const auto found = std::find_if(families().begin(), families().end(),
                                  [&](const Family& family) { return family.name == cell.family; });
  std::string text;
  for (const auto& attempt : cell.attempts) {
    if (is_solved(attempt)) continue;
    const auto instance = make_instance(*found, seed, attempt.index);
    const auto& verdict = attempt.verdict;
    text += fmt::format(
        "{}  {}  {} after {} steps, {} calls, {:.2g} s: {}\n  wrong      {}\n  returned   x {} y {}\n"
        "             phi {:.12g}, above the reference by {:.3g} of the gain; f off by {:.3g}; |g_y| {:.3g} of the "
        "start's\n{}\n",
        attempt.method, attempt.status, attempt.claimed ? "CLAIMED" : "", attempt.iterations, attempt.calls,
        attempt.seconds, attempt.message, verdict.why, numbers(attempt.x), numbers(attempt.y),
        static_cast<double>(verdict.value), static_cast<double>(verdict.excess), static_cast<double>(verdict.gap),
        static_cast<double>(verdict.residual), instance_text(instance));
  }
  return text;
}

void write_json(const std::vector<Cell>& cells, std::uint64_t seed, const std::string& path) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& cell : cells) {
    nlohmann::json unsolved = nlohmann::json::array(), claimed_falsely = nlohmann::json::array();
    double seconds = 0;
    for (const auto& attempt : cell.attempts) {
      if (!is_solved(attempt)) unsolved.push_back(attempt.index);
      if (is_false(attempt)) claimed_falsely.push_back(attempt.index);
      seconds += attempt.seconds;
    }
    list.push_back({{"family", cell.family},
                    {"method", cell.method},
                    {"instances", cell.attempts.size()},
                    {"solved", cell.count(is_solved)},
                    {"unsolved", unsolved},
                    {"falsely_claimed", claimed_falsely},
                    {"worse_than_start", cell.count(is_worse)},
                    {"median_oracle_calls", cell.median_calls()},
                    {"seconds", seconds}});
  }
  const std::filesystem::path file_path(path);
  if (file_path.has_parent_path()) std::filesystem::create_directories(file_path.parent_path());
  std::ofstream file(file_path);
  file << nlohmann::json{{"seed", seed}, {"cells", list}}.dump(2) << '\n';
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace bilevel::robust
