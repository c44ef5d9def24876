#include "games/games_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "bilevel/certificate.hpp"
#include "bilevel/global.hpp"
#include "bilevel/lower.hpp"
#include "bilevel/random.hpp"
#include "bilevel/recommendation.hpp"
#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"

namespace bilevel::testing {

namespace {

constexpr double kSolved = 1e-6;

Vec random_direction(Index size, Random& random) {
  Vec d(size);
  for (Index i = 0; i < size; ++i) d[i] = random.normal();
  return d / norm(d);
}

bool near(const Vec& a, const Vec& b, double tolerance) { return norm(a - b) <= tolerance * (1 + norm(b)); }

/// x -> f(x, y(x)) with the follower solved by L-BFGS from `start`.
double value_at(const BilevelProblem& problem, const Vec& leader, const Vec& start) {
  const auto answer = Lbfgs().solve(*problem.lower, leader, start, {.tolerance = 1e-12, .max_iterations = 5000});
  return problem.upper->value(leader, answer.y);
}

struct Answer {
  Vec x, y;
  Index iterations = 0;
};

Answer solve(const Game& game, const std::string& method) {
  const auto& problem = game.problem;
  if (method == "global") {
    const auto result = solve_global(problem, game.box_x, game.box_y);
    const auto* best = result.best();
    if (!best) throw InvalidInput(result.message);
    return {best->x, best->y, 0};
  }
  std::string name = method;
  std::map<std::string, std::string> settings;
  if (method == "auto") {
    const auto advice = recommend(problem);
    name = advice.method;
    settings = advice.settings;
  } else if (const auto space = method.find(' '); space != method.npos) {
    name = method.substr(0, space);
    settings["hypergradient"] = method.substr(space + 1);
  }
  const auto result = run(problem, *make_method(name, settings), {.tolerance = 1e-10, .max_iterations = 3000});
  const bool converged = result.status == Status::converged;
  return {converged ? result.x : result.best_x, converged ? result.y : result.best_y, result.iterations};
}

GameRun judge_run(const Game& game, const std::string& method) {
  GameRun run{.method = method, .verdict = {}};
  const auto start = std::chrono::steady_clock::now();
  Answer answer;
  try {
    answer = solve(game, method);
  } catch (const Error& error) {
    run.refused = true;
    run.verdict = error.what();
    return run;
  }
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  run.iterations = answer.iterations;
  const auto certificate = certify(game.problem, answer.x, answer.y);
  run.verdict = to_string(certificate.verdict);
  run.certified = certificate.is_solution();
  const auto& known = game.problem.known;
  // By f and not by y: a symmetric game has the same solution at y and -y.
  const double upper = game.problem.upper->value(answer.x, answer.y);
  run.solved = known && near(answer.x, known->x, kSolved) &&
               std::abs(upper - known->upper) <= kSolved * (1 + std::abs(known->upper));
  run.is_solution = is_local_solution(game.problem, answer.x, answer.y);
  run.is_sharp = run.is_solution && is_sharp(game.problem, answer.x, answer.y);
  run.is_equilibrium = !run.is_solution && is_selection_equilibrium(game.problem, answer.x, answer.y);
  return run;
}

}  // namespace

const std::vector<std::string>& table_methods() {
  static const std::vector<std::string> names{"auto",  "smbg unrolled", "smbg implicit", "bgs_opt",
                                              "hg_ms", "dpbg",          "global"};
  return names;
}

bool is_local_solution(const BilevelProblem& problem, const Vec& x, const Vec& y) {
  constexpr int kDirections = 40;
  constexpr double kRadius = 1e-3;
  const Objective& g = *problem.lower;
  Random random(1);
  if (!all_finite(x) || !all_finite(y)) return false;
  const double lowest = g.value(x, y), follower_radius = kRadius * (1 + norm(y));
  for (int i = 0; i < kDirections; ++i) {
    const Vec d = follower_radius * random_direction(y.size(), random);
    if (!(g.value(x, y + d) > lowest) || !(g.value(x, y - d) > lowest)) return false;
  }
  const auto phi = [&](const Vec& leader, const Vec& start) { return value_at(problem, leader, start); };
  const double here = phi(x, y), radius = kRadius * (1 + norm(x));
  for (int i = 0; i < kDirections; ++i) {
    const Vec d = radius * random_direction(x.size(), random);
    // The follower starts beside y: where its minimisers form a valley it ends elsewhere in it, and f may be lower.
    const Vec e = follower_radius * random_direction(y.size(), random);
    const double ahead = phi(x + d, y + e) - here, behind = phi(x - d, y - e) - here;
    // A slope of relative size 1e-3 or a fall on either side: the point can be improved by moving there.
    const double bend = std::max(std::abs(ahead), std::abs(behind));
    const double noise = 1e-11 * (1 + std::abs(here));  // of the follower's answers; a curvature of 1 bends by 5e-7
    if (!(std::min(ahead, behind) >= -1e-3 * bend - noise)) return false;
    if (!(std::abs(ahead - behind) <= 0.2 * bend + noise)) return false;
  }
  return true;
}

bool is_sharp(const BilevelProblem& problem, const Vec& x, const Vec& y) {
  constexpr int kDirections = 10;
  constexpr double kFar = 1e-3, kNear = 1e-5;
  constexpr double kLeast = 1e-8;  // what phi must rise over kNear: a second derivative would have to be 200
  Random random(3);
  const double here = value_at(problem, x, y);
  const double near_order = std::pow(kFar / kNear, 1.5);
  for (int i = 0; i < kDirections; ++i) {
    const Vec d = (1 + norm(x)) * random_direction(x.size(), random);
    const double near_rise = value_at(problem, x + kNear * d, y) - here;
    const double far_rise = value_at(problem, x + kFar * d, y) - here;
    if (near_rise > kLeast * (1 + std::abs(here)) && far_rise < near_order * near_rise) return true;
  }
  return false;
}

bool is_selection_equilibrium(const BilevelProblem& problem, const Vec& x, const Vec& y) {
  constexpr int kDirections = 40;
  constexpr double kRadius = 1e-3;
  const Objective& g = *problem.lower;
  if (!all_finite(x) || !all_finite(y)) return false;
  Random random(2);
  const double lowest = g.value(x, y), rounding = 1e-12 * (1 + std::abs(lowest));
  for (int i = 0; i < kDirections; ++i) {
    const Vec d = kRadius * (1 + norm(y)) * random_direction(y.size(), random);
    if (std::min(g.value(x, y + d), g.value(x, y - d)) < lowest - rounding) return false;
  }
  // Gradient steps from y: to first order the answer of the flow, which a line search along a valley need not be.
  const double a = 0.9 / measure_curvature(g.linearize(x, y), y.size()).largest;
  const auto phi = [&](const Vec& leader) {
    Vec answer = y;
    for (int k = 0; k < 3000; ++k) answer -= a * g.grad_y(leader, answer);
    return problem.upper->value(leader, answer);
  };
  const double here = phi(x);
  for (int i = 0; i < 10; ++i) {
    const Vec d = kRadius * (1 + norm(x)) * random_direction(x.size(), random);
    const double ahead = phi(x + d) - here, behind = phi(x - d) - here;
    const double bend = std::max(std::abs(ahead), std::abs(behind));
    if (!(std::abs(ahead - behind) <= 0.2 * bend + 1e-10 * (1 + std::abs(here)))) return false;
  }
  return true;
}

GameRow judge_game(const std::filesystem::path& file) {
  const auto game = read_game(file);
  GameRow row{.name = file.stem().string(),
              .n = game.problem.dim_x(),
              .m = game.problem.dim_y(),
              .has_solution = game.problem.known.has_value(),
              .runs = {},
              .wrong_points = {}};
  for (const auto& method : table_methods()) row.runs.push_back(judge_run(game, method));
  for (const auto& point : game.points) {
    const std::string verdict(to_string(certify(game.problem, point.x, point.y).verdict));
    ++row.points;
    if (verdict == point.verdict) {
      ++row.points_right;
    } else {
      row.wrong_points.push_back(fmt::format("{}: '{}' where the file says '{}'", row.name, verdict, point.verdict));
    }
  }
  return row;
}

std::vector<GameRow> judge_games(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<GameRow> rows;
  for (const auto& file : files) rows.push_back(judge_game(file));
  return rows;
}

MethodShares shares(const std::vector<GameRow>& rows, std::size_t method) {
  MethodShares result;
  for (const auto& row : rows) {
    const auto& run = row.runs[method];
    result.seconds += run.seconds;
    if (run.refused) continue;
    ++result.runs;
    result.solved += run.solved;
    result.local_solutions += run.is_solution;
    result.equilibria += run.is_equilibrium;
    result.certificates_right += run.certificate_right();
    result.false_positives += run.certified && !run.is_solution;
  }
  return result;
}

std::string games_text(const std::vector<GameRow>& rows) {
  constexpr int kCell = 15;
  std::size_t widest = 4;
  for (const auto& row : rows) widest = std::max(widest, row.name.size());
  std::string text = fmt::format("{:<{}}  {:>3} {:>3}", "game", widest, "n", "m");
  for (const auto& method : table_methods()) text += fmt::format("  {:<{}}", method, kCell);
  text += "  points\n";
  for (const auto& row : rows) {
    text += fmt::format("{:<{}}  {:>3} {:>3}", row.name, widest, row.n, row.m);
    for (const auto& run : row.runs) {
      const auto* found = run.refused          ? "refused"
                          : run.solved         ? "solved"
                          : run.is_solution    ? "another"
                          : run.is_equilibrium ? "selected"
                                               : "no";
      text += fmt::format("  {:<{}}",
                          fmt::format("{}{}", found,
                                      run.refused               ? ""
                                      : run.certificate_right() ? ""
                                                                : ", judged wrong"),
                          kCell);
    }
    text += fmt::format("  {}/{}\n", row.points_right, row.points);
  }
  text +=
      "\nsolved: within 1e-6 of the file's solution; another: a local solution, not the file's; selected: an "
      "equilibrium of the game with selection, not the leader's best of the follower's answers; no: none of these\n\n";
  for (std::size_t k = 0; k < table_methods().size(); ++k) {
    const auto share = shares(rows, k);
    const auto percent = [&](Index count) {
      return fmt::format("{}/{} ({:.0f} %)", count, share.runs,
                         100.0 * static_cast<double>(count) / static_cast<double>(std::max<Index>(share.runs, 1)));
    };
    text += fmt::format(
        "{:<{}}  solved {}, local solutions {}, selected {}, certificates right {}, false positives {}, "
        "{:.2f} s\n",
        table_methods()[k], kCell, percent(share.solved), percent(share.local_solutions), share.equilibria,
        percent(share.certificates_right), share.false_positives, share.seconds);
  }
  Index points = 0, right = 0;
  for (const auto& row : rows) {
    points += row.points;
    right += row.points_right;
  }
  text += fmt::format("points of known verdict: {}/{} certified as such\n", right, points);
  for (const auto& row : rows) {
    for (const auto& wrong : row.wrong_points) text += "  " + wrong + "\n";
  }
  return text;
}

}  // namespace bilevel::testing
