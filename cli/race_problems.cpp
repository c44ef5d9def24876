#include "race_problems.hpp"

#include <fmt/format.h>

#include <memory>

#include "bilevel/detection.hpp"
#include "bilevel/linear_models.hpp"
#include "bilevel/random.hpp"

namespace bilevel::cli {

namespace {

Vec drawn_from(const Box& box, Random& random) {
  Vec drawn = box.low;
  for (Index i = 0; i < drawn.size(); ++i) drawn[i] += random.uniform() * (box.high[i] - box.low[i]);
  return drawn;
}

std::vector<double> cleaning_scores(const CleaningData& data, const Vec& x, const Vec& y) {
  const LinearModel model(data.train.features.features(),
                          {.loss = LinearLoss::softmax, .classes = data.classes, .intercept = true});
  const auto count = data.train.labels.size();
  std::vector<std::uint8_t> flagged(count), wrong(count);
  std::vector<double> suspicion(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double logit = x[static_cast<Index>(i)];
    flagged[i] = logit < 0;
    suspicion[i] = -logit;
    wrong[i] = data.train.labels[i] != (*data.true_labels)[i];
  }
  return {100 * model.accuracy(data.test->features, data.test->labels, y),
          100 * measure_detection(flagged, suspicion, wrong).f1};
}

}  // namespace

RaceField game_field(const Game& game, std::uint64_t first_seed) {
  return {game.problem.name,
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
  CleaningInputOptions input;
  input.dataset = settings.dataset;
  input.train_rows = settings.train_rows;
  input.valid_rows = settings.valid_rows;
  input.corrupt = settings.corrupt;
  CleaningOptions cleaning;
  cleaning.penalty_norm = settings.penalty_norm;
  cleaning.penalize_intercept = true;  // H is invertible: what the theory of most methods asks for
  input.seed = settings.race.first_seed;
  // One c for all seeds and methods: it belongs to the problem.
  const double c = cleaning_regularization(read_cleaning_input(input).data, cleaning);
  return {fmt::format("cleaning {}, {:.3g} % of {} labels wrong, c = {:.3g}", settings.dataset, 100 * settings.corrupt,
                      settings.train_rows, c),
          "which rows are drawn, and which labels are wrong",
          {"test %", "F1 %"},
          [input, cleaning, c](std::uint64_t seed) {
            auto of_seed = input;
            of_seed.seed = seed;
            const auto data = std::make_shared<const CleaningData>(read_cleaning_input(of_seed).data);
            return RaceProblem{cleaning_problem(*data, cleaning, c),
                               [data](const Vec& x, const Vec& y) { return cleaning_scores(*data, x, y); }};
          }};
}

}  // namespace bilevel::cli
