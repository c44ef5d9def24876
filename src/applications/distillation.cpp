#include "bilevel/distillation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>

#include <fmt/format.h>

#include "bilevel/linear_models.hpp"
#include "bilevel/lower.hpp"
#include "bilevel/random.hpp"
#include "sources/network_pass.hpp"

namespace bilevel {

namespace {

constexpr double kGrid[] = {1e-4, 1e-3, 1e-2, 1e-1};  // c of the models that are compared with

void check_part(std::string_view what, const LabelledTable& part, const DistillationData& data) {
  if (part.rows.rows() != static_cast<Index>(part.labels.size()) || part.rows.cols() != data.train.rows.cols()) {
    throw InvalidInput(fmt::format("the {} rows are {} x {} with {} labels, but the training rows have {} features",
                                   what, part.rows.rows(), part.rows.cols(), part.labels.size(),
                                   data.train.rows.cols()));
  }
  if (part.labels.empty()) throw InvalidInput(fmt::format("there are no {} rows", what));
  for (const auto label : part.labels) {
    if (label >= 0 && label < data.classes) continue;
    throw InvalidInput(fmt::format("the {} rows hold label {}, but labels are 0 to {}", what, label, data.classes - 1));
  }
}

void check(const DistillationData& data) {
  check_part("training", data.train, data);
  check_part("validation", data.valid, data);
  if (data.test) check_part("test", *data.test, data);
  if (std::set<std::int32_t>(data.train.labels.begin(), data.train.labels.end()).size() < 2) {
    throw InvalidInput("the training rows are all of one class: there is nothing to learn");
  }
}

Network network_of(const DistillationData& data, const DistillationOptions& options) {
  return Network({.inputs = data.train.rows.cols(), .hidden = options.hidden, .outputs = data.classes});
}

std::string class_name(const DistillationData& data, std::int32_t label) {
  const auto i = static_cast<std::size_t>(label);
  return i < data.class_names.size() ? fmt::format("'{}'", data.class_names[i]) : fmt::format("{}", label);
}

/// `per_class` rows of each class that occurs, class after class.
LabelledTable draw(const DistillationData& data, Index per_class, std::uint64_t seed) {
  const auto& train = data.train;
  const auto order = Random(seed).permutation(train.labels.size());
  LabelledTable drawn;
  std::vector<std::uint32_t> chosen;
  for (std::int32_t label = 0; label < data.classes; ++label) {
    Index count = 0;
    for (auto i = order.begin(); i != order.end() && count < per_class; ++i) {
      if (train.labels[*i] != label) continue;
      chosen.push_back(*i);
      drawn.labels.push_back(label);
      ++count;
    }
    if (count > 0 && count < per_class) {
      throw InvalidOption(fmt::format("per-class {} asks for more rows than the {} training rows of class {}",
                                      per_class, count, class_name(data, label)));
    }
  }
  drawn.rows.resize(static_cast<Index>(chosen.size()), train.rows.cols());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    drawn.rows.row(static_cast<Index>(i)) = train.rows.row(static_cast<Index>(chosen[i]));
  }
  return drawn;
}

/// From the start that every model here is trained from.
Vec train(const Network& network, const Objective& lower, const Vec& x, std::uint64_t seed,
          const std::atomic<bool>* interrupt) {
  return Lbfgs()
      .solve(lower, x, network.start(seed), {.tolerance = 1e-5, .max_iterations = 500, .interrupt = interrupt})
      .y;
}

/// The follower's own problem on fixed rows.
Vec train_on(const Network& network, const Table& rows, const Table& targets, double c, std::uint64_t seed,
             const std::atomic<bool>* interrupt) {
  const auto g = synthetic_training(network, rows, targets, {.learn_rows = false, .regularization = c});
  return train(network, *g, Vec(0), seed, interrupt);
}

TrainedModel judge(const Network& network, const DistillationData& data, Vec y, double c) {
  TrainedModel model{std::move(y), c, 0, {}};
  model.valid_accuracy = network.accuracy(data.valid.rows, data.valid.labels, model.y);
  return model;
}

void read_test(const Network& network, const DistillationData& data, TrainedModel& model) {
  if (data.test) model.test_accuracy = network.accuracy(data.test->rows, data.test->labels, model.y);
}

/// The best c of the grid by accuracy on the validation rows, the larger of equals.
template <class Train>
TrainedModel best_of_grid(const Network& network, const DistillationData& data, const Train& train) {
  TrainedModel best;
  for (const double c : kGrid) {
    auto model = judge(network, data, train(c), c);
    if (best.y.size() == 0 || model.valid_accuracy >= best.valid_accuracy) best = std::move(model);
  }
  return best;
}

std::shared_ptr<const Objective> leaders_loss(const Network& network, const DistillationData& data, Index dim_x,
                                              std::size_t threads) {
  const auto& [rows, labels] = data.train;
  // In float32: the follower's rows are few, but these are all of the data.
  const auto features = FeatureMatrix::dense(
      static_cast<std::size_t>(rows.rows()), static_cast<std::size_t>(rows.cols()),
      std::span<const double>(rows.data(), static_cast<std::size_t>(rows.size())), Precision::float32);
  if (network.options().hidden > 0) return network_loss(network, features, labels, dim_x, threads);
  // The same function of the same y, by the kernels of the linear models.
  return validation_objective(features, Targets(labels),
                              {.loss = LinearLoss::softmax,
                               .classes = static_cast<std::size_t>(data.classes),
                               .intercept = true,
                               .threads = threads},
                              dim_x);
}

/// Softmax regression on all training rows, those of `loss`.
TrainedModel fit_whole(const Network& network, const DistillationData& data, const DistillationOptions& options,
                       const LinearObjective& loss) {
  Vec y = network.start(options.seed);
  return best_of_grid(network, data, [&](double c) {
    const auto g =
        training_objective(loss.features(), Targets(data.train.labels),
                           {.model = loss.model().options(), .regularization = c, .penalize_intercept = true});
    y = Lbfgs().solve(*g, Vec(0), y, {.tolerance = 1e-3, .max_iterations = 100, .interrupt = options.stop.interrupt}).y;
    return y;
  });
}

double regularization_of(const DistillationOptions& options) {
  constexpr double kLinear = 0.03, kNetwork = 0.003;
  return options.regularization.value_or(options.hidden > 0 ? kNetwork : kLinear);
}

/// Logits whose softmax is nearly `targets`: the leader must be able to move them.
Table label_entries(const Table& targets) {
  constexpr double kSure = 4;  // e^4 to 1
  return kSure * targets;
}

}  // namespace

BilevelProblem distillation_problem(const DistillationData& data, const DistillationOptions& options, const Table& rows,
                                    const Table& targets) {
  const auto network = network_of(data, options);
  const auto lower = synthetic_training(
      network, rows, targets, {.learn_targets = options.learn_labels, .regularization = regularization_of(options)});
  BilevelProblem problem{.name = "distillation",
                         .upper = leaders_loss(network, data, lower->dim_x(), options.threads),
                         .lower = lower,
                         .x0 = Vec(lower->dim_x()),
                         .y0 = {},
                         .known = {}};
  problem.x0.head(rows.size()) = Eigen::Map<const Vec>(rows.data(), rows.size());
  if (options.learn_labels) {
    const Table entries = label_entries(targets);
    problem.x0.tail(entries.size()) = Eigen::Map<const Vec>(entries.data(), entries.size());
  }
  problem.y0 = train(network, *lower, problem.x0, options.seed, options.stop.interrupt);
  return problem;
}

void check_distillation(const DistillationData& data, const DistillationOptions& options) {
  check(data);
  check_options(options);
  BgsOpt{options.bgs_opt};
  draw(data, options.per_class, options.seed);
}

DistillationOptions chosen(DistillationOptions options, Choices& choices) {
  if (!options.regularization) {
    options.regularization = regularization_of(options);
    note_choice(choices, {"regularization", "auto", fmt::format("{:g}", *options.regularization),
                          options.hidden > 0 ? "what did best for a hidden layer on features of deviation 1"
                                             : "what did best for softmax regression on features of deviation 1"});
  }
  auto& leader = options.bgs_opt.leader;
  if (options.hidden > 0 && leader.rule == LeaderRule::gradient_descent && !leader.step_size) {
    leader.rule = LeaderRule::adam;
    leader.step_size = 0.02;
    note_choice(choices, {"outer", "gradient-descent", "adam, step 0.02",
                          "with a hidden layer longer moves lead to images that only the followed network fits"});
  }
  return options;
}

DistillationResult distil(const DistillationData& data, const DistillationOptions& asked,
                          const std::vector<Observer*>& observers, const DistillationObserver& on_stage) {
  check_distillation(data, asked);
  DistillationResult result;
  const auto options = chosen(asked, result.choices);
  const double c = *options.regularization;
  const auto stage = [&](std::string_view what) {
    if (on_stage) on_stage(what);
  };
  const auto* interrupt = options.stop.interrupt;
  const auto stopped = [&] { return interrupt && interrupt->load(); };
  const auto network = network_of(data, options);

  result.images = draw(data, options.per_class, options.seed);
  result.targets = one_hot(result.images.labels, data.classes);
  stage("training on the first images");
  const auto problem = distillation_problem(data, options, result.images.rows, result.targets);
  // With learned labels the leader starts from softened ones.
  result.start =
      judge(network, data,
            options.learn_labels ? train_on(network, result.images.rows, result.targets, c, options.seed, interrupt)
                                 : problem.y0,
            c);

  stage("distilling");
  result.run = run(problem, BgsOpt(options.bgs_opt), options.stop, observers);
  const Vec& x = result.run.best_x.size() > 0 ? result.run.best_x : problem.x0;
  auto& rows = result.images.rows;
  rows = Eigen::Map<const Table>(x.data(), rows.rows(), rows.cols());
  if (options.learn_labels) {
    result.targets =
        softmax_rows(Eigen::Map<const Table>(x.data() + rows.size(), result.targets.rows(), result.targets.cols()));
  }
  stage("training on the distilled images");
  result.distilled = judge(network, data, train_on(network, rows, result.targets, c, options.seed, nullptr), c);

  for (Index i = 0; options.comparators && i < options.draws && !stopped(); ++i) {
    stage(fmt::format("training on random images, draw {} of {}", i + 1, options.draws));
    const auto drawn = draw(data, options.per_class, options.seed + 1 + static_cast<std::uint64_t>(i));
    const Table targets = one_hot(drawn.labels, data.classes);
    result.random.push_back(best_of_grid(network, data, [&](double drawn_c) {
      return train_on(network, drawn.rows, targets, drawn_c, options.seed, interrupt);
    }));
  }
  if (options.comparators && options.hidden == 0 && !stopped()) {
    stage("training on all rows");
    result.whole = fit_whole(network, data, options, dynamic_cast<const LinearObjective&>(*problem.upper));
  }
  if (options.certificate && result.run.best_x.size() > 0 && !stopped()) {
    stage("certifying");
    result.certificate = certify(problem, result.run.best_x, result.run.best_y);
    if (result.certificate->verdict == Verdict::not_converged && result.run.status == Status::stagnated) {
      result.certificate->advice =
          "this is intended: distilling ends when the loss on real rows no longer falls by much, so judge the images "
          "by the accuracy of the model that is trained on them; for a converged answer use --improvement 0 and more "
          "--max-iterations";
    }
  }
  for (auto* model : {&result.start, &result.distilled}) read_test(network, data, *model);
  for (auto& model : result.random) read_test(network, data, model);
  if (result.whole) read_test(network, data, *result.whole);
  return result;
}

std::optional<Spread> DistillationResult::random_test() const {
  std::vector<double> accuracies;
  for (const auto& model : random) {
    if (!model.test_accuracy) return {};
    accuracies.push_back(*model.test_accuracy);
  }
  if (accuracies.empty()) return {};
  return spread_of(accuracies);
}

std::optional<double> DistillationResult::gap_closed() const {
  const auto by_chance = random_test();
  if (!by_chance || !whole || !whole->test_accuracy || !distilled.test_accuracy) return {};
  const double gap = *whole->test_accuracy - by_chance->mean;
  if (gap == 0) return {};
  return (*distilled.test_accuracy - by_chance->mean) / gap;
}

void describe(OptionTable& table, DistillationOptions& options) {
  table.group("Images")
      .add("per-class", options.per_class, "images of each class, started from real ones", between(1, 100000))
      .add("learn-labels", options.learn_labels,
           "the leader also chooses how much of each class an image is; else it is of its class")
      .add("seed", options.seed,
           "of the images that are started from, of the random ones and of the network's weights");
  table.group("Model")
      .add("hidden", options.hidden, "tanh units of a hidden layer; 0: softmax regression without one",
           between(0, 10000))
      .add("regularization", options.regularization,
           "weight c of the penalty c |y|^2 of the model on the images; auto: 0.03, with a hidden layer 0.003",
           at_least(0))
      .add("threads", options.threads, "of passes over the real rows; 0: one for each processor", between(0, 1024));
  describe(table, options.bgs_opt);
  describe(table, options.stop);
  table.group("Comparison")
      .add("comparators", options.comparators, "train on random real images and on all rows too")
      .add("draws", options.draws, "sets of random real images", between(0, 1000))
      .add("certificate", options.certificate, "examine the pair that the run returns");
}

}  // namespace bilevel
