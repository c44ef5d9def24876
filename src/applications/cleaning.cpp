#include "bilevel/cleaning.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "applications/labelled_rows.hpp"
#include "applications/regularization_path.hpp"
#include "bilevel/registry.hpp"

namespace bilevel {

namespace {

void check(const CleaningData& data) {
  if (data.classes < 2) throw InvalidInput(fmt::format("cleaning needs at least two classes, not {}", data.classes));
  const auto features = data.train.features.features();
  check_labelled_rows("training", data.train, features, data.classes);
  check_labelled_rows("trusted", data.trusted, features, data.classes);
  if (data.test) check_labelled_rows("test", *data.test, features, data.classes);
  if (data.true_labels && data.true_labels->size() != data.train.labels.size()) {
    throw InvalidInput(fmt::format("{} true labels are given for {} training rows", data.true_labels->size(),
                                   data.train.labels.size()));
  }
  if (data.true_labels) {
    for (const auto label : *data.true_labels) {
      if (label < -1 || label >= static_cast<std::int32_t>(data.classes)) {
        throw InvalidInput(fmt::format("the true labels hold {}, but labels are 0 to {}, or -1 where not known", label,
                                       data.classes - 1));
      }
    }
  }
  const auto one_class = [](const LabelledRows& rows) {
    return std::set<std::int32_t>(rows.labels.begin(), rows.labels.end()).size() < 2;
  };
  if (one_class(data.train)) throw InvalidInput("the training rows are all of one class: there is nothing to learn");
  if (one_class(data.trusted)) {
    throw InvalidInput("the trusted rows are all of one class: they cannot tell right labels from wrong ones");
  }
}

constexpr std::size_t kFolds = 3;

double sigmoid(double t) { return 1.0 / (1.0 + std::exp(-t)); }

/// Detection over the rows whose truth is known; nothing if there are none.
std::optional<Detection> measure_known(const CleaningData& data, const std::vector<std::uint8_t>& flagged,
                                       const std::vector<double>& suspicion) {
  if (!data.true_labels) return {};
  std::vector<std::uint8_t> known_flagged, wrong;
  std::vector<double> known_suspicion;
  for (std::size_t i = 0; i < flagged.size(); ++i) {
    const auto truth = (*data.true_labels)[i];
    if (truth < 0) continue;
    known_flagged.push_back(flagged[i]);
    known_suspicion.push_back(suspicion[i]);
    wrong.push_back(data.train.labels[i] != truth);
  }
  if (wrong.empty()) return {};
  return measure_detection(known_flagged, known_suspicion, wrong);
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
  fitted.detection = measure_known(data, flagged, suspicion);
}

/// Weights, suspects, suggestions and ranking from the leader's answer and the cleaned model.
void read_answer(CleaningResult& result, const LinearModel& model, const CleaningData& data) {
  const std::size_t count = data.train.labels.size();
  const Vec& x = result.run.best_x;
  result.weights.resize(count);
  std::transform(x.begin(), x.end(), result.weights.begin(), sigmoid);

  const auto probabilities = model.predict_probabilities(data.train.features, result.cleaned.y);
  result.suggested = data.train.labels;
  std::vector<std::uint8_t> flagged(count);
  std::vector<double> suspicion(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = probabilities.row(static_cast<Index>(i));
    const auto given = data.train.labels[i];
    flagged[i] = x[static_cast<Index>(i)] < 0;
    const double loss = -std::log(std::max(row[given], std::numeric_limits<double>::min()));
    suspicion[i] = (flagged[i] ? 1.0 : 0.0) + loss / (1 + loss);
    result.suspects += flagged[i];
    if (!flagged[i]) continue;
    // A suspect's own label is ruled out, so that the suggestion always says something.
    std::int32_t best = given == 0 ? 1 : 0;
    for (std::int32_t c = 0; c < static_cast<std::int32_t>(data.classes); ++c) {
      if (c != given && row[c] > row[best]) best = c;
    }
    result.suggested[i] = best;
  }
  result.ranking.resize(count);
  std::iota(result.ranking.begin(), result.ranking.end(), 0u);
  std::stable_sort(result.ranking.begin(), result.ranking.end(),
                   [&](auto a, auto b) { return suspicion[a] > suspicion[b]; });
  result.detection = measure_known(data, flagged, suspicion);
}

/// What speaks against the result, seen without a look at the test rows.
void warn(CleaningResult& result, const CleaningData& data) {
  // As teachers, too few trusted rows do clearly worse than the noisy rows do.
  constexpr double kClearly = 0.02;
  if (result.noisy && result.trusted && result.trusted->trusted_accuracy + kClearly <= result.noisy->trusted_accuracy) {
    result.warnings.push_back(fmt::format(
        "the {} trusted rows are too few: a model fitted to them alone is right on {:.0f} % of them "
        "(cross-validated), one fitted to the training rows as they are on {:.0f} %, so the weights follow "
        "the trusted rows' peculiarities; give more trusted rows, or use the ranking of the suspects only",
        data.trusted.labels.size(), 100 * result.trusted->trusted_accuracy, 100 * result.noisy->trusted_accuracy));
  }
  constexpr double kSaturated = 30;  // sigmoid(-30) = 1e-13
  const Vec& x = result.run.best_x;
  if (2 * (x.array().abs() > kSaturated).count() > x.size()) {
    result.warnings.push_back(
        "most weights are 0 or 1 to all digits, so the leader's first steps decided them: lower --outer-step-size or "
        "leave it automatic");
  }
}

PathOptions path_of(const CleaningData& data, const CleaningOptions& options) {
  return {
      .model = {.loss = LinearLoss::softmax, .classes = data.classes, .intercept = true, .threads = options.threads},
      .penalty_norm = options.penalty_norm,
      .penalize_intercept = options.penalize_intercept,
      .interrupt = options.stop.interrupt};
}

/// The best c for a mean of losses is inversely proportional to the number of rows.
double for_training_rows(double c_of_trusted_rows, const CleaningData& data) {
  return c_of_trusted_rows *
         std::min(1.0, static_cast<double>(data.trusted.labels.size()) / static_cast<double>(data.train.labels.size()));
}

/// Certifies the pair that the run returned.
Certificate certify_cleaning(const BilevelProblem& problem, const RunResult& run) {
  auto certificate = certify(problem, run.best_x, run.best_y, cleaning_certificate_options());
  const bool stopped = run.status == Status::stagnated || run.status == Status::budget_reached;
  if (certificate.verdict == Verdict::not_converged && stopped) {
    certificate.advice =
        "this is intended: cleaning stops before the weights, of which there is one for each row, begin to fit the "
        "peculiarities of the few trusted rows (early stopping against overfitting), so judge the result by its "
        "accuracy; for a converged answer use --improvement 0 and more --max-iterations and --max-inner-steps";
  }
  return certificate;
}

std::unique_ptr<OuterMethod> method_of(const CleaningOptions& options) {
  if (options.method == "smbg") {
    if (!options.settings.empty()) {
      throw InvalidOption(
          fmt::format("option 'set' ({}) is for other methods than smbg, whose options stand by "
                      "themselves, as in --inner-steps 20",
                      options.settings.front()));
    }
    return make_method("smbg", option_texts(options.smbg));
  }
  const auto known = find_method(options.method).options();
  std::map<std::string, std::string> settings;
  if (known->find("outer") != nullptr) settings["outer"] = to_string(LeaderRule::adam);
  for (const auto& setting : options.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw InvalidOption(
          fmt::format("option 'set' is '{}', but must be name=value, as in --set batch-size=128", setting));
    }
    settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return make_method(options.method, settings);
}

/// A step of a minibatch method is a short round, of which four make the progress of one of smbg's.
StopRule stop_of(const CleaningOptions& options, Choices& choices) {
  constexpr Index kPatience = 20, kMost = 1000;
  const StopRule usual = CleaningOptions{}.stop;
  auto stop = options.stop;
  const bool rounds = options.method != "smbg" && find_method(options.method).options()->find("batch-size") != nullptr;
  if (!rounds || stop.patience != usual.patience || stop.max_iterations != usual.max_iterations) return stop;
  stop.patience = kPatience;
  stop.max_iterations = kMost;
  const char* reason = "a step is a short round of minibatches";
  choices.push_back({"patience", fmt::format("{}", usual.patience), fmt::format("{}", kPatience), reason});
  choices.push_back({"max-iterations", fmt::format("{}", usual.max_iterations), fmt::format("{}", kMost), reason});
  return stop;
}

/// 1 for a row whose given label is the true one, else 0.
Vec known_to_be_right(const CleaningData& data) {
  Vec right(static_cast<Index>(data.train.labels.size()));
  for (std::size_t i = 0; i < data.train.labels.size(); ++i) {
    right[static_cast<Index>(i)] = data.train.labels[i] == (*data.true_labels)[i] ? 1.0 : 0.0;
  }
  return right;
}

}  // namespace

std::optional<double> CleaningResult::gap_closed() const {
  if (!noisy || !ceiling || !noisy->test_accuracy || !ceiling->test_accuracy || !cleaned.test_accuracy) return {};
  const double gap = *ceiling->test_accuracy - *noisy->test_accuracy;
  if (!(gap > 0)) return {};
  return (*cleaned.test_accuracy - *noisy->test_accuracy) / gap;
}

BilevelProblem cleaning_problem(const CleaningData& data, const CleaningOptions& options, double c) {
  check(data);
  const auto rows = static_cast<Index>(data.train.labels.size());
  const auto path = path_of(data, options);
  const TrainingOptions training{.model = path.model,
                                 .row_weights = true,
                                 .regularization = c,
                                 .penalty_norm = path.penalty_norm,
                                 .penalize_intercept = path.penalize_intercept};
  BilevelProblem problem;
  problem.name = "data cleaning";
  problem.lower = training_objective(data.train.features, data.train.labels, training);
  problem.upper = validation_objective(data.trusted.features, data.trusted.labels, path.model, rows);
  problem.x0 = Vec::Zero(rows);
  problem.y0 = Vec::Zero(problem.dim_y());
  return problem;
}

double cleaning_regularization(const CleaningData& data, const CleaningOptions& options) {
  check(data);
  return for_training_rows(fit_cross_validated(data.trusted, kFolds, path_of(data, options)).regularization, data);
}

std::optional<Detection> cleaning_detection(const CleaningData& data, const Vec& x) {
  std::vector<std::uint8_t> flagged(static_cast<std::size_t>(x.size()));
  std::vector<double> suspicion(flagged.size());
  for (std::size_t i = 0; i < flagged.size(); ++i) {
    const double logit = x[static_cast<Index>(i)];
    flagged[i] = logit < 0;
    suspicion[i] = -logit;
  }
  return measure_known(data, flagged, suspicion);
}

CertificateOptions cleaning_certificate_options() { return {.eigenvalue_products = 100, .solve_products = 100}; }

CleaningResult clean(const CleaningData& data, const CleaningOptions& options, const std::vector<Observer*>& observers,
                     const StageObserver& on_stage) {
  check(data);
  const auto stage = [&](std::string_view name) {
    if (on_stage) on_stage(name);
  };
  const auto rows = static_cast<Index>(data.train.labels.size());
  const auto path = path_of(data, options);
  const LinearModel model(data.train.features.features(), path.model);
  const auto method = method_of(options);
  method->init(cleaning_problem(data, options, 0));  // what cannot work together is refused before anything is computed

  const auto interrupted = [&] { return options.stop.interrupt && options.stop.interrupt->load(); };

  CleaningResult result;
  if (options.comparators || !options.regularization) {
    stage("fitting the trusted rows alone");
    result.trusted = fit_cross_validated(data.trusted, kFolds, path);
  }
  if (options.comparators) {
    stage("fitting the training rows as they are");
    result.noisy = fit_path(data.train, Vec::Ones(rows), data.trusted, path);
  }
  result.chosen_regularization =
      options.regularization ? *options.regularization : for_training_rows(result.trusted->regularization, data);

  const bool comparators_cut_short = interrupted();

  stage("cleaning");
  Choices choices;
  result.run =
      run(cleaning_problem(data, options, result.chosen_regularization), *method, stop_of(options, choices), observers);
  result.run.choices.insert(result.run.choices.end(), choices.begin(), choices.end());
  if (!options.regularization) {
    result.run.choices.push_back({"regularization", "auto", fmt::format("{:.3g}", result.chosen_regularization),
                                  fmt::format("{:.3g} by cross-validation on the trusted rows, times trusted rows / "
                                              "training rows",
                                              result.trusted->regularization)});
  }

  if (options.certificate && !interrupted()) {
    stage("certifying");
    result.certificate = certify_cleaning(cleaning_problem(data, options, result.chosen_regularization), result.run);
  }

  stage("fitting with the learned weights");
  if (!interrupted()) result.cleaned = fit_path(data.train, result.run.best_x.unaryExpr(&sigmoid), data.trusted, path);
  if (interrupted()) {
    // A path cut short would be worse than the follower's own answer to these weights.
    result.cleaned.y = result.run.best_y;
    result.cleaned.regularization = result.chosen_regularization;
    result.cleaned.trusted_accuracy = model.accuracy(data.trusted.features, data.trusted.labels, result.cleaned.y);
  }
  read_answer(result, model, data);

  if (comparators_cut_short) {
    result.trusted.reset();
    result.noisy.reset();
  }
  if (options.comparators && data.true_labels && !interrupted()) {
    stage("fitting the rightly labelled rows alone");
    const Vec right = known_to_be_right(data);
    if (right.sum() > 0) result.ceiling = fit_path(data.train, right, data.trusted, path);
  }

  warn(result, data);
  stage("measuring");
  judge(result.cleaned, model, data);
  for (auto* fitted : {&result.noisy, &result.trusted, &result.ceiling}) {
    if (*fitted) judge(**fitted, model, data);
  }
  return result;
}

void describe(OptionTable& table, CleaningOptions& options) {
  table.group("Method")
      .add("method", options.method, "the outer method, see `bilevel methods`", one_of(method_names()))
      .add("set", options.settings, "an option of another method than smbg, as in --set batch-size=128",
           "name=value, repeatable");
  describe(table, options.smbg);
  describe(table, options.stop);
  table.group("Model")
      .add("regularization", options.regularization,
           "c in the follower's penalty c |y|_p^p; auto: chosen on the trusted rows", at_least(0))
      .add("penalty-norm", options.penalty_norm, "p in the follower's penalty c |y|_p^p", at_least(2))
      .add("penalize-intercept", options.penalize_intercept,
           "whether the intercepts are among the y of that penalty: then p = 2 makes H invertible")
      .add("threads", options.threads, "threads of a pass over the data; 0: one for each processor", between(0, 1024))
      .add("comparators", options.comparators,
           "also fit the models that the result is compared with: on the rows as they are, on the trusted rows alone, "
           "and where the truth is known on the right rows alone")
      .add("certificate", options.certificate,
           "also examine what the returned pair is to the bilevel problem: eigenvalues, residuals, a verdict");
}

}  // namespace bilevel
