#include "bilevel/game.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "applications/game_document.hpp"
#include "bilevel/certificate.hpp"
#include "bilevel/formula.hpp"
#include "bilevel/status.hpp"
#include "sources/formula_error.hpp"
#include "sources/formula_names.hpp"

namespace bilevel {

namespace {

constexpr double kBoxRadius = 3;
constexpr double kKnownValueTolerance = 1e-6;
// What is written, where, and what it may replace: whoever runs a game decides, not the one who wrote its file.
constexpr std::array<std::string_view, 6> kOutputKeys{"out", "overwrite", "plot", "json", "quiet", "config"};

std::vector<std::string_view> verdict_texts() {
  std::vector<std::string_view> texts;
  for (int i = 0; i <= static_cast<int>(Verdict::undecided); ++i) texts.push_back(to_string(static_cast<Verdict>(i)));
  return texts;
}

class GameReader {
 public:
  GameReader(std::string_view text, std::string_view source) : document_(text, source), source_(source) {}

  Game read() {
    document_.check_keys(document_.root(), "a game",
                         {"problem", "parameters", "start", "box", "solution", "point", "solve"});
    read_parameters();
    const toml::table& problem = required_table("problem");
    document_.check_keys(problem, "[problem]", {"name", "upper", "lower", "description", "source"});
    game_.problem.name = optional_text(problem, "name", std::filesystem::path(source_).stem().string());
    game_.description = optional_text(problem, "description", "");
    game_.origin = optional_text(problem, "source", "");
    const Formula upper = formula(problem, "upper", game_.upper_text);
    const Formula lower = formula(problem, "lower", game_.lower_text);
    const toml::table& start = required_table("start");
    read_start(start);
    note_formula("upper", upper);
    note_formula("lower", lower);
    read_box();
    read_solution();
    read_points();
    read_settings();
    if (!misfits_.empty()) {
      document_.refuse(start, fmt::format("[start] gives x {} and y {}, but {}", entries(game_.problem.x0.size()),
                                          entries(game_.problem.y0.size()), misfits_));
    }
    build(upper, lower);
    return std::move(game_);
  }

 private:
  static std::string entries(Index count) { return fmt::format("{} {}", count, count == 1 ? "entry" : "entries"); }

  const toml::table& required_table(std::string_view name) const {
    const toml::table* table = document_.table(name);
    if (table == nullptr) document_.refuse(fmt::format("a game needs a table [{}]", name));
    return *table;
  }

  const toml::node& required(const toml::table& table, std::string_view place, std::string_view key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) document_.refuse(table, fmt::format("{} needs the key '{}'", place, key));
    return *node;
  }

  std::string optional_text(const toml::table& table, std::string_view key, std::string otherwise) const {
    const toml::node* node = table.get(key);
    return node == nullptr ? otherwise : document_.string(*node, fmt::format("[problem] {}", key)).get();
  }

  void read_parameters() {
    const toml::table* table = document_.table("parameters");
    if (table == nullptr) return;
    for (const auto& [name, node] : document_.entries(*table)) {
      auto values = document_.numbers(*node, fmt::format("the parameter '{}'", name));
      try {
        check_parameters({{name, values}});
      } catch (const FormulaMistake& mistake) {
        document_.refuse(table->find(name)->first.source().begin, mistake.sentence);
      }
      parameters_[name] = std::move(values);
    }
  }

  Formula formula(const toml::table& problem, std::string_view key, std::string& text) const {
    const auto& value = document_.string(required(problem, "[problem]", key), fmt::format("[problem] {}", key));
    text = value.get();
    try {
      return Formula::parse(text, parameters_, key);
    } catch (const FormulaError& error) {
      document_.refuse_inside(value, error.offset(), error.sentence());
    }
  }

  void read_start(const toml::table& table) {
    document_.check_keys(table, "[start]", {"x", "y"});
    const toml::node &x = required(table, "[start]", "x"), &y = required(table, "[start]", "y");
    game_.problem.x0 = document_.vec(x, "[start] x");
    game_.problem.y0 = document_.vec(y, "[start] y");
    if (game_.problem.x0.size() == 0) document_.refuse(x, "a game has a leader: [start] x needs at least one number");
    if (game_.problem.y0.size() == 0) document_.refuse(y, "a game has a follower: [start] y needs at least one number");
  }

  Index dim(char letter) const { return letter == 'x' ? game_.problem.x0.size() : game_.problem.y0.size(); }

  void add_misfit(std::string_view misfit) {
    if (!misfits_.empty()) misfits_ += "; ";
    misfits_ += misfit;
  }

  void note_formula(std::string_view name, const Formula& formula) {
    for (const char letter : {'x', 'y'}) {
      const Index largest = letter == 'x' ? formula.largest_x() : formula.largest_y();
      if (largest > dim(letter)) add_misfit(fmt::format("'{}' uses {}[{}]", name, letter, largest));
    }
  }

  // A vector of x or y outside of [start], whose length is compared with it.
  Vec point(const toml::table& table, std::string_view place, char letter) {
    const auto what = fmt::format("{} {}", place, letter);
    Vec v = document_.vec(required(table, place, std::string_view(&letter, 1)), what);
    if (v.size() != dim(letter)) add_misfit(fmt::format("{} has {}", what, entries(v.size())));
    return v;
  }

  void read_box() {
    game_.box_x = box_around(game_.problem.x0, kBoxRadius);
    game_.box_y = box_around(game_.problem.y0, kBoxRadius);
    const toml::table* table = document_.table("box");
    if (table == nullptr) return;
    document_.check_keys(*table, "[box]", {"x", "y"});
    const toml::node *x = table->get("x"), *y = table->get("y");
    if (x != nullptr) game_.box_x = box(*x, 'x');
    if (y != nullptr) game_.box_y = box(*y, 'y');
    game_.box_is_given = x != nullptr && y != nullptr;
  }

  Box box(const toml::node& node, char letter) {
    const auto what = fmt::format("[box] {}", letter);
    const auto* list = node.as_array();
    if (list == nullptr || list->empty()) {
      document_.refuse(node, fmt::format("{} must be a pair [low, high] or a list of pairs", what));
    }
    if (!list->front().is_array()) {
      const auto [low, high] = pair(node, what);
      return {Vec::Constant(dim(letter), low), Vec::Constant(dim(letter), high)};
    }
    const auto count = static_cast<Index>(list->size());
    Box box{Vec(count), Vec(count)};
    for (Index i = 0; i < count; ++i) {
      std::tie(box.low[i], box.high[i]) = pair((*list)[static_cast<std::size_t>(i)], what);
    }
    if (count != dim(letter)) {
      add_misfit(fmt::format("{} has {} {}", what, count, count == 1 ? "pair" : "pairs"));
    }
    return box;
  }

  std::pair<double, double> pair(const toml::node& node, std::string_view what) const {
    const auto* list = node.as_array();
    if (list == nullptr || list->size() != 2) {
      document_.refuse(node, fmt::format("{} must consist of pairs [low, high]", what));
    }
    const double low = document_.number((*list)[0], what), high = document_.number((*list)[1], what);
    if (low > high) document_.refuse(node, fmt::format("{} has low {} above high {}", what, low, high));
    return {low, high};
  }

  void read_solution() {
    const toml::table* table = document_.table("solution");
    if (table == nullptr) return;
    document_.check_keys(*table, "[solution]", {"x", "y", "upper"});
    game_.problem.known =
        KnownSolution{.x = point(*table, "[solution]", 'x'),
                      .y = point(*table, "[solution]", 'y'),
                      .upper = document_.number(required(*table, "[solution]", "upper"), "[solution] upper")};
  }

  void read_points() {
    const toml::node* node = document_.root().get("point");
    if (node == nullptr) return;
    if (!node->is_array_of_tables()) document_.refuse(*node, "'point' must be tables, each written [[point]]");
    const auto& list = *node->as_array();
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& table = *list[i].as_table();
      const auto place = list.size() == 1 ? std::string("[[point]]") : fmt::format("[[point]] number {}", i + 1);
      document_.check_keys(table, "[[point]]", {"x", "y", "verdict"});
      KnownPoint known{point(table, place, 'x'), point(table, place, 'y'), {}};
      const auto& verdict = document_.string(required(table, place, "verdict"), fmt::format("{} verdict", place));
      known.verdict = verdict.get();
      check_verdict(verdict);
      game_.points.push_back(std::move(known));
    }
  }

  void check_verdict(const toml::value<std::string>& verdict) const {
    const auto texts = verdict_texts();
    if (std::find(texts.begin(), texts.end(), verdict.get()) != texts.end()) return;
    std::string list;
    for (const auto each : texts) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", each);
    document_.refuse(verdict, fmt::format("'{}' is no verdict; verdicts are {}", verdict.get().substr(0, 60), list));
  }

  void read_settings() {
    const toml::table* table = document_.table("solve");
    if (table == nullptr) return;
    for (const auto& [name, node] : document_.entries(*table)) {
      if (std::find(kOutputKeys.begin(), kOutputKeys.end(), name) != kOutputKeys.end()) {
        document_.refuse(table->find(name)->first.source().begin,
                         fmt::format("[solve] {0} is not a game's to choose: say --{0} on the command line", name));
      }
      std::string& text = game_.settings[name];
      if (const auto* string = node->as_string()) {
        text = string->get();
      } else if (const auto* integer = node->as_integer()) {
        text = fmt::format("{}", integer->get());
      } else if (const auto* real = node->as_floating_point()) {
        text = fmt::format("{}", document_.number(*real, fmt::format("[solve] {}", name)));
      } else if (const auto* flag = node->as_boolean()) {
        text = flag->get() ? "true" : "false";
      } else {
        document_.refuse(*node, fmt::format("[solve] {} must be a number, a text in quotes, true or false", name));
      }
    }
  }

  void build(const Formula& upper, const Formula& lower) {
    BilevelProblem& problem = game_.problem;
    if (problem.name.empty()) problem.name = "game";
    problem.upper = make_formula_objective(problem.name + ", upper", upper, problem.x0.size(), problem.y0.size());
    problem.lower = make_formula_objective(problem.name + ", lower", lower, problem.x0.size(), problem.y0.size());
    problem.validate();
    if (!problem.known) return;
    const double value = upper(problem.known->x, problem.known->y), claimed = problem.known->upper;
    // Written so that NaN is refused too.
    if (std::abs(value - claimed) <= kKnownValueTolerance * std::max(1.0, std::abs(claimed))) return;
    document_.refuse(*document_.table("solution")->get("upper"),
                     fmt::format("[solution] upper is {}, but the upper formula is {} there", claimed, value));
  }

  GameDocument document_;
  std::string_view source_;
  FormulaParameters parameters_;
  std::string misfits_;
  Game game_;
};

}  // namespace

Game parse_game(std::string_view toml, std::string_view source) { return GameReader(toml, source).read(); }

Game read_game(const std::filesystem::path& file) {
  const auto refuse = [&](std::string_view why) {
    throw InvalidInput(fmt::format("{}:1:1: cannot read the game: {}", file.string(), why));
  };
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) refuse("it is a folder");
  // Opening a pipe that nobody writes to would wait for ever.
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error)) {
    refuse("it is no regular file");
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse(std::strerror(errno));
  std::string content(GameDocument::kLongestText + 1, '\0');
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (stream.bad()) refuse("the disk reports an error");
  content.resize(static_cast<std::size_t>(stream.gcount()));
  return parse_game(content, file.string());
}

}  // namespace bilevel
