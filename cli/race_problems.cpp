#include "race_problems.hpp"

#include <fmt/format.h>

#include <limits>
#include <memory>

#include "bilevel/detection.hpp"
#include "bilevel/linear_models.hpp"
#include "bilevel/random.hpp"
#include "clean_report.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

Vec drawn_from(const Box& box, Random& random) {
  Vec drawn = box.low;
  for (Index i = 0; i < drawn.size(); ++i) drawn[i] += random.uniform() * (box.high[i] - box.low[i]);
  return drawn;
}

/// What can be said of a follower's answer on these rows, and the numbers.
struct Scores {
  bool test, detection;

  explicit Scores(const CleaningData& data) : test(data.test.has_value()) {
    const auto found = cleaning_detection(data, Vec::Zero(static_cast<Index>(data.train.labels.size())));
    detection = found && found->wrong > 0;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    if (test) names.emplace_back("test %");
    if (detection) names.emplace_back("F1 %");
    return names;
  }

  std::vector<double> of(const CleaningData& data, const Vec& x, const Vec& y) const {
    std::vector<double> numbers;
    if (test) {
      const LinearModel model(data.test->features.features(),
                              {.loss = LinearLoss::softmax, .classes = data.classes, .intercept = true});
      numbers.push_back(100 * model.accuracy(data.test->features, data.test->labels, y));
    }
    if (detection) {
      const auto found = cleaning_detection(data, x);
      // With few truths the rows of a later seed may have none.
      numbers.push_back(found && found->wrong > 0 ? 100 * found->f1 : std::numeric_limits<double>::quiet_NaN());
    }
    return numbers;
  }
};

std::string name_of(const RaceSettings& settings, std::size_t rows, double c) {
  constexpr std::size_t kWidest = 60;
  const auto& input = settings.input;
  auto name = "cleaning " + cut_to_width(input.dataset.empty() ? input.train : input.dataset, kWidest);
  if (input.corrupt) name += fmt::format(", {:.3g} % of {} labels wrong", 100 * *input.corrupt, rows);
  name += fmt::format(", c = {:.3g}", c);
  return settings.cleaning.penalty_norm == 2 ? name
                                             : name + fmt::format(", p = {:.3g}", settings.cleaning.penalty_norm);
}

/// What a seed decides.
std::string drawn_of(const CleaningInputOptions& input) {
  const char* const rows = !input.dataset.empty() ? "which rows are drawn"
                           : input.valid.empty()  ? "which rows are held out to be trusted"
                                                  : "";
  const char* const labels = input.corrupt ? "which labels are wrong" : "";
  if (*rows == 0 && *labels == 0) return "only the methods' own random numbers: rows and labels are those of the files";
  return fmt::format("{}{}{}", rows, *rows != 0 && *labels != 0 ? ", and " : "", labels);
}

}  // namespace

RaceField game_field(const Game& game, std::uint64_t first_seed) {
  return {game.problem.name,
          "",
          "where a run starts; the first one starts where the file says",
          {},
          [game, first_seed](std::uint64_t seed) {
            RaceProblem race{game.problem};
            if (seed != first_seed) {
              Random random(seed);
              race.problem.x0 = drawn_from(game.box_x, random);
              race.problem.y0 = drawn_from(game.box_y, random);
            }
            return race;
          }};
}

RaceField cleaning_field(const RaceSettings& settings) {
  const auto first = std::make_shared<const CleaningInput>(read_cleaning_input(settings.input));
  const auto& cleaning = settings.cleaning;
  // One c for all seeds and methods: it belongs to the problem.
  const double c = cleaning.regularization ? *cleaning.regularization : cleaning_regularization(first->data, cleaning);
  const auto& input = settings.input;
  const bool nothing_drawn = input.dataset.empty() && !input.valid.empty() && !input.corrupt;
  const Scores scores(first->data);
  // The losses are convex and their weights positive, so that all curvature of the penalty is left in H.
  const bool penalised = c > 0 && cleaning.penalize_intercept;
  auto certificate = cleaning_certificate_options();
  certificate.solve_products = CertificateOptions{}.solve_products;  // or the leader's error stays without a bound
  if (penalised && cleaning.penalty_norm == 2) certificate.convexity = 2 * c;
  return {.name = name_of(settings, first->data.train.labels.size(), c),
          .about = input_text(*first),
          .drawn = drawn_of(input),
          .score_names = scores.names(),
          .problem = [=](std::uint64_t seed) {
            auto of_seed = input;
            of_seed.seed = seed;
            const auto rows = nothing_drawn || seed == input.seed
                                  ? first
                                  : std::make_shared<const CleaningInput>(read_cleaning_input(of_seed));
            return RaceProblem{.problem = cleaning_problem(rows->data, cleaning, c),
                               .scores = [=](const Vec& x, const Vec& y) { return scores.of(rows->data, x, y); },
                               .unique_answer = penalised,
                               .certificate = certificate};
          }};
}

}  // namespace bilevel::cli
