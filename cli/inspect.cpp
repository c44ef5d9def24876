#include "inspect.hpp"

#include <fmt/format.h>

#include <optional>
#include <sstream>

#include "bilevel/morse_bott.hpp"
#include "bilevel/status.hpp"
#include "certificate_report.hpp"
#include "data_run.hpp"
#include "game_input.hpp"
#include "game_pictures.hpp"
#include "game_report.hpp"
#include "outputs.hpp"
#include "report.hpp"
#include "terminal/progress_line.hpp"
#include "terminal/stream.hpp"

namespace bilevel::cli {

namespace {

struct InspectSettings {
  GameSettings game;
  std::vector<std::string> at;    // leader of the critical points; empty: the start
  std::vector<std::string> from;  // line of leaders that branches are followed on; empty: the box's diagonal
  std::vector<std::string> to;
  Index starts = 0;
  Index samples = BranchOptions{}.samples;
  PictureSettings picture;
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};

void describe(OptionTable& table, InspectSettings& settings) {
  describe(table, settings.game);
  table.group("Where to look")
      .add("at", settings.at, "the leader whose follower's critical points are listed; default: the start",
           "numbers joined by commas")
      .add("from", settings.from, "where the line of leaders begins; default: the lower corner of the box of x",
           "numbers joined by commas")
      .add("to", settings.to, "where it ends; default: the upper corner", "numbers joined by commas")
      .add("starts", settings.starts, "Newton starts of each search with several follower variables; 0: by dimension",
           between(0, 1e7))
      .add("samples", settings.samples, "leaders on the line at which branches are looked for", between(2, 1e5));
  describe(table, settings.picture);
  table.group("Output")
      .add("overwrite", settings.overwrite, "replace any file that --plot names")
      .add("json", settings.json, "print everything as JSON alone on standard output")
      .add("quiet", settings.quiet, "no progress on standard error");
}

const CommandText& text() {
  static const CommandText text{
      .name = "inspect",
      .description =
          "Looks at the follower of a game: its critical points at one leader, the branches they form as the leader "
          "moves along a line, where branches meet, vanish or escape, whether the Morse qualification condition holds "
          "over the box, and which method fits, with the reason.\n\n"
          "The [box] of the file says where to look. Every list says how complete it is believed to be.",
      .examples =
          "bilevel inspect examples/games/two_wells.toml --plot two_wells.png\n"
          "bilevel inspect game.toml --at 0.25 --from -1 --to 1 --json\n"
          "bilevel inspect game.toml --perturb 0.01 --seed 2",
      .operand = "GAME.toml"};
  return text;
}

Vec read_point(const std::vector<std::string>& items, const Arguments& words, const char* option,
               const Vec& otherwise) {
  if (items.empty() && words.has(option)) {
    throw InvalidOption(
        fmt::format("option '{}' cannot be empty: it must be {} numbers joined by commas", option, otherwise.size()));
  }
  if (items.empty()) return otherwise;
  Vec point(static_cast<Index>(items.size()));
  for (Index i = 0; i < point.size(); ++i) {
    std::istringstream stream(items[static_cast<std::size_t>(i)]);
    if (!(stream >> point[i]) || !stream.eof() || !all_finite(point.segment(i, 1))) {
      throw InvalidOption(fmt::format("option '{}' cannot hold '{}': it must be {} numbers joined by commas", option,
                                      items[static_cast<std::size_t>(i)], otherwise.size()));
    }
  }
  if (point.size() != otherwise.size()) {
    throw InvalidOption(fmt::format("option '{}' needs {} numbers, one for each leader variable, but got {}", option,
                                    otherwise.size(), point.size()));
  }
  return point;
}

/// The test at every degenerate critical point that is listed, and at no other: elsewhere H is invertible.
std::vector<MorseBottAt> morse_bott_points(const Objective& lower, const Vec& x, const CriticalPoints& found,
                                           std::uint64_t seed) {
  std::vector<MorseBottAt> result;
  for (std::size_t i = 0; i < found.points.size(); ++i) {
    const auto& point = found.points[i];
    if (point.kernel > 0) result.push_back({static_cast<Index>(i), morse_bott(lower, x, point.y, {.seed = seed})});
  }
  return result;
}

/// At the follower's answer: the lowest critical point that may be a minimiser. Empty without one.
std::optional<UniformConvexityAt> uniform_convexity_point(const Objective& lower, const Vec& x,
                                                          const CriticalPoints& found, std::uint64_t seed) {
  const CriticalPoint* answer = nullptr;
  for (const auto& point : found.points) {
    const bool possible = point.kind == CriticalKind::minimiser || point.kind == CriticalKind::degenerate;
    if (possible && (!answer || point.lower < answer->lower)) answer = &point;
  }
  if (!answer) return std::nullopt;
  return UniformConvexityAt{answer - found.points.data(),
                            estimate_uniform_convexity(lower, x, answer->y, {.seed = seed})};
}

int run_inspect(const std::vector<std::string>& arguments) {
  InspectSettings settings;
  OptionTable table = described(settings);
  const auto words = parse_arguments(text(), table, arguments);
  if (words.help_requested) {
    write_out(help_text(text(), table));
    return kSuccess;
  }
  check(settings.picture, "inspect");
  check_outputs({"", settings.overwrite, {}, settings.picture.plot}, inputs_of(table, words));
  Game game = read_game(words.operand);
  const auto note = perturb(game, settings.game);
  const auto& problem = game.problem;
  const Vec x = read_point(settings.at, words, "at", problem.x0);
  const LeaderLine segment{read_point(settings.from, words, "from", game.box_x.low),
                           read_point(settings.to, words, "to", game.box_x.high)};

  BranchOptions branch_options;
  branch_options.samples = settings.samples;
  branch_options.search.starts = settings.starts;
  branch_options.search.seed = settings.game.seed;
  auto search = branch_options.search;
  // Many leaders are searched along the way: with many follower variables each search may be a short one.
  constexpr Index kManyVariables = 8;
  if (settings.starts == 0 && problem.dim_y() > kManyVariables) branch_options.search.starts = 4 * problem.dim_y();
  ProgressLine line(stderr, ProgressLine::mode_for(stderr, settings.quiet));
  line.update("looking for critical points ...");
  const auto points = find_critical_points(*problem.lower, x, game.box_y, search, problem.upper.get());
  const auto degenerate = morse_bott_points(*problem.lower, x, points, settings.game.seed);
  const auto convexity = uniform_convexity_point(*problem.lower, x, points, settings.game.seed);
  line.update("following branches ...");
  const auto map = follow_branches(*problem.lower, segment, game.box_y, branch_options, problem.upper.get());
  line.update("judging the Morse condition ...");
  const auto morse =
      judge_morse(*problem.lower, game.box_x, game.box_y, {.branches = branch_options}, problem.upper.get());
  line.update("choosing a method ...");
  const auto advice = recommend(problem, &points);
  std::string no_picture;
  if (!settings.picture.plot.empty()) {
    line.update("drawing ...");
    no_picture = draw_or_say([&] { draw_inspected(settings.picture, game, map); });
  }
  line.finish();

  if (settings.json) {
    const Json object{{"command", "inspect"},
                      {"name", problem.name},
                      {"notes", note.empty() ? Json::array() : Json::array({note})},
                      {"at", vec_json(x)},
                      {"critical_points", critical_points_json(points)},
                      {"morse_bott", morse_bott_points_json(degenerate)},
                      {"uniform_convexity", convexity ? uniform_convexity_json(*convexity) : Json(nullptr)},
                      {"branches", branches_json(map)},
                      {"morse", morse_json(morse)},
                      {"recommendation", recommendation_json(advice)}};
    write_out(object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return code_with_missing(kSuccess, {}, no_picture);
  }
  write_out(game_text(game) + (note.empty() ? "" : paragraph("note: ", note)));
  if (!game.box_is_given)
    write_out(paragraph("note: ", "the file has no [box]: looking at start +- 3 max(1, |start|)"));
  write_out(critical_points_text(points, x) + morse_bott_points_text(degenerate) +
            (convexity ? uniform_convexity_text(*convexity) : "") + branches_text(map) + morse_text(morse) +
            recommendation_text(advice, words.operand));
  return code_with_missing(kSuccess, {}, no_picture);
}

}  // namespace

Command inspect_command() {
  return {"inspect", "look at a game's follower: critical points, branches, which method fits", run_inspect, [] {
            InspectSettings settings;
            return options_markdown(described(settings));
          }};
}

}  // namespace bilevel::cli
