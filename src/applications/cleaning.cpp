#include "bilevel/cleaning.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "applications/regularization_path.hpp"
#include "bilevel/registry.hpp"

namespace bilevel {

namespace {

void check_rows(std::string_view what, const LabelledRows& rows, const CleaningData& data) {
  if (rows.labels.size() != rows.features.rows()) {
    throw InvalidInput(fmt::format("the {} rows have {} labels for {} rows of features", what, rows.labels.size(),
                                   rows.features.rows()));
  }
  if (rows.features.features() != data.train.features.features()) {
    throw InvalidInput(fmt::format("the {} rows have {} features, but the training rows have {}", what,
                                   rows.features.features(), data.train.features.features()));
  }
  for (const auto label : rows.labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= data.classes) {
      throw InvalidInput(fmt::format("the {} rows hold label {}, but labels are 0 to {}", what, label, data.classes - 1));
    }
  }
}

void check(const CleaningData& data) {
  check_rows("training", data.train, data);
  check_rows("trusted", data.trusted, data);
  if (data.test) check_rows("test", *data.test, data);
  if (data.true_labels && data.true_labels->size() != data.train.labels.size()) {
    throw InvalidInput(fmt::format("{} true labels are given for {} training rows", data.true_labels->size(),
                                   data.train.labels.size()));
  }
  const auto one_class = [](const LabelledRows& rows) {
    return std::set<std::int32_t>(rows.labels.begin(), rows.labels.end()).size() < 2;
  };
  if (one_class(data.train)) throw InvalidInput("the training rows are all of one class: there is nothing to learn");
  if (one_class(data.trusted)) {
    throw InvalidInput("the trusted rows are all of one class: they cannot tell right labels from wrong ones");
  }
}

double sigmoid(double t) { return 1.0 / (1.0 + std::exp(-t)); }

std::vector<std::uint8_t> wrong_rows(const CleaningData& data) {
  std::vector<std::uint8_t> wrong(data.train.labels.size());
  for (std::size_t i = 0; i < wrong.size(); ++i) wrong[i] = data.train.labels[i] != (*data.true_labels)[i];
  return wrong;
}

/// Test accuracy and, where the truth is known, detection by disagreement with the given labels.
void judge(FittedModel& fitted, const LinearModel& model, const CleaningData& data) {
  if (data.test) fitted.test_accuracy = model.accuracy(data.test->features, data.test->labels, fitted.y);
  if (!data.true_labels) return;
  const auto probabilities = model.predict_probabilities(data.train.features, fitted.y);
  const std::size_t count = data.train.labels.size();
  std::vector<std::uint8_t> flagged(count);
  std::vector<double> suspicion(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = probabilities.row(static_cast<Index>(i));
    Index predicted = 0;
    row.maxCoeff(&predicted);
    flagged[i] = predicted != data.train.labels[i];
    suspicion[i] = -row[data.train.labels[i]];
  }
  fitted.detection = measure_detection(flagged, suspicion, wrong_rows(data));
}

/// Weights, ranking, suspects and suggestions from the leader's answer and the cleaned model.
void read_answer(CleaningResult& result, const LinearModel& model, const CleaningData& data) {
  const std::size_t count = data.train.labels.size();
  const Vec& x = result.run.best_x;
  result.logits.assign(x.begin(), x.end());
  result.weights.resize(count);
  std::transform(result.logits.begin(), result.logits.end(), result.weights.begin(), sigmoid);
  result.ranking.resize(count);
  std::iota(result.ranking.begin(), result.ranking.end(), 0u);
  std::stable_sort(result.ranking.begin(), result.ranking.end(),
                   [&](auto a, auto b) { return result.logits[a] < result.logits[b]; });

  const auto scores = model.predict_scores(data.train.features, result.cleaned.y);
  result.suggested = data.train.labels;
  std::vector<std::uint8_t> flagged(count);
  std::vector<double> suspicion(count);
  for (std::size_t i = 0; i < count; ++i) {
    suspicion[i] = -result.logits[i];
    flagged[i] = result.logits[i] < 0;
    result.suspects += flagged[i];
    if (!flagged[i]) continue;
    // A suspect's own label is ruled out, so that the suggestion always says something.
    const auto given = data.train.labels[i];
    std::int32_t best = given == 0 ? 1 : 0;
    for (std::int32_t c = 0; c < static_cast<std::int32_t>(data.classes); ++c) {
      const auto row = static_cast<Index>(i);
      if (c != given && scores(row, c) > scores(row, best)) best = c;
    }
    result.suggested[i] = best;
  }
  if (data.true_labels) result.detection = measure_detection(flagged, suspicion, wrong_rows(data));
}

}  // namespace

std::optional<double> CleaningResult::gap_closed() const {
  if (!noisy || !ceiling || !noisy->test_accuracy || !ceiling->test_accuracy || !cleaned.test_accuracy) return {};
  const double gap = *ceiling->test_accuracy - *noisy->test_accuracy;
  if (!(gap > 0)) return {};
  return (*cleaned.test_accuracy - *noisy->test_accuracy) / gap;
}

CleaningResult clean(const CleaningData& data, const CleaningOptions& options, const std::vector<Observer*>& observers,
                     const StageObserver& on_stage) {
  constexpr std::size_t kFolds = 3;
  check(data);
  const auto stage = [&](std::string_view name) {
    if (on_stage) on_stage(name);
  };
  const auto rows = static_cast<Index>(data.train.labels.size());
  const PathOptions path{
      .model = {.loss = LinearLoss::softmax, .classes = data.classes, .intercept = true, .threads = options.threads},
      .penalty_norm = options.penalty_norm,
      .interrupt = options.stop.interrupt};
  const LinearModel model(data.train.features.features(), path.model);

  CleaningResult result;
  if (options.comparators || !options.regularization) {
    stage("fitting the trusted rows alone");
    result.trusted = fit_cross_validated(data.trusted, kFolds, path);
    stage("fitting the training rows as they are");
    result.noisy = fit_path(data.train, Vec::Ones(rows), data.trusted, path);
  }
  result.chosen_regularization =
      options.regularization ? *options.regularization
                             : std::min(result.trusted->regularization, result.noisy->regularization);

  stage("cleaning");
  const TrainingOptions training{.model = path.model,
                                 .row_weights = true,
                                 .regularization = result.chosen_regularization,
                                 .penalty_norm = options.penalty_norm};
  BilevelProblem problem;
  problem.name = "data cleaning";
  problem.lower = training_objective(data.train.features, data.train.labels, training);
  problem.upper = validation_objective(data.trusted.features, data.trusted.labels, path.model, rows);
  problem.x0 = Vec::Zero(rows);
  problem.y0 = Vec::Zero(problem.dim_y());
  const auto method = make_method(options.method, option_texts(options.smbg));
  result.run = run(problem, *method, options.stop, observers);
  if (!options.regularization) {
    result.run.choices.push_back({"regularization", "auto", fmt::format("{:.3g}", result.chosen_regularization),
                                  fmt::format("most accurate on the trusted rows: {:.3g} for the training rows as they "
                                              "are, {:.3g} for the trusted rows alone",
                                              result.noisy->regularization, result.trusted->regularization)});
  }

  stage("fitting with the learned weights");
  result.cleaned = fit_path(data.train, result.run.best_x.unaryExpr(&sigmoid), data.trusted, path);
  read_answer(result, model, data);

  if (options.comparators && data.true_labels) {
    stage("fitting the rightly labelled rows alone");
    Vec right(rows);
    for (Index i = 0; i < rows; ++i) {
      const auto row = static_cast<std::size_t>(i);
      right[i] = data.train.labels[row] == (*data.true_labels)[row] ? 1.0 : 0.0;
    }
    if (right.sum() > 0) result.ceiling = fit_path(data.train, right, data.trusted, path);
  }

  stage("measuring");
  judge(result.cleaned, model, data);
  for (auto* fitted : {&result.noisy, &result.trusted, &result.ceiling}) {
    if (*fitted) judge(**fitted, model, data);
  }
  return result;
}

void describe(OptionTable& table, CleaningOptions& options) {
  table.group("Method").add("method", options.method, "the outer method", one_of(method_names()));
  describe(table, options.smbg);
  describe(table, options.stop);
  table.group("Model")
      .add("regularization", options.regularization,
           "c in the follower's penalty c |y|_p^p; auto: chosen on the trusted rows", at_least(0))
      .add("penalty-norm", options.penalty_norm, "p in the follower's penalty c |y|_p^p", at_least(2))
      .add("threads", options.threads, "threads of a pass over the data; 0: one for each processor", between(0, 1024))
      .add("comparators", options.comparators,
           "also fit the models that the result is compared with: on the rows as they are, on the trusted rows alone, "
           "and where the truth is known on the right rows alone");
}

}  // namespace bilevel
