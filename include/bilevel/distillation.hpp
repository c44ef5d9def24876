// Dataset distillation: a few rows of the leader's making, such that a model trained on them alone does well on real
// data.
//
//     follower   y minimises  g(x, y) = 1/R sum_r loss(scores_y(u_r), t_r) + c |y|^2     on R synthetic rows, x = the
//     u_r leader     x minimises  f(y)    = 1/N sum_i loss(scores_y(v_i), label_i)           on the real training rows
//     v_i
//
// Wang, Zhu, Torralba and Efros, "Dataset distillation", arXiv:1811.10959 (2018); solved by BGS-Opt [AM22, Alg. 1].
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/bgs_opt.hpp"
#include "bilevel/certificate.hpp"
#include "bilevel/network.hpp"
#include "bilevel/run.hpp"
#include "bilevel/spread.hpp"

namespace bilevel {

struct DistillationOptions {
  Index per_class = 10;       // synthetic rows of each class, started from real ones
  Index hidden = 0;           // 0: softmax regression; else units of a tanh layer
  bool learn_labels = false;  // the synthetic rows' labels become distributions of the leader's
  /// c. Empty: 0.03 for softmax regression, where anything between 0.01 and 0.1 did alike and below the follower
  /// settles too slowly; 0.003 with a hidden layer (features of mean 0 and deviation 1).
  std::optional<double> regularization = std::nullopt;
  /// As it is for softmax regression, where gradient steps of measured length reach in ten steps what Adam reaches in a
  /// hundred. With a hidden layer the leader takes Adam's steps of 0.02, unless a step size or Adam is asked for: the
  /// network that is trained anew has to be near the one that was followed, and long steps lead away from it.
  BgsOptOptions bgs_opt = {.max_inner_steps = 100, .adjoint_tolerance = 1e-3, .adjoint_iterations = 30};
  StopRule stop = {.tolerance = 1e-4, .improvement = 0.01, .patience = 20, .max_iterations = 200};
  Index draws = 5;          // sets of random real rows that the result is compared with; 0: none
  bool comparators = true;  // those, and the model fitted to all training rows
  bool certificate = true;
  std::uint64_t seed = 1;   // of the rows that are started from, of the draws, and of the network's weights
  std::size_t threads = 0;  // 0: one for each processor
};
void describe(OptionTable& table, DistillationOptions& options);

/// Rows with labels 0..classes-1.
struct LabelledTable {
  Table rows;  // N x d
  std::vector<std::int32_t> labels;
};

struct DistillationData {
  Index classes = 0;
  LabelledTable train;                        // what the leader's loss is on
  LabelledTable valid;                        // chooses the regularisation of the random rows' models
  std::optional<LabelledTable> test;          // read once, at the end
  std::vector<std::string> class_names = {};  // for messages; empty: the numbers
};

/// A model trained on some rows alone, from the start that the seed gives.
struct TrainedModel {
  Vec y;
  double regularization = 0;
  double valid_accuracy = 0;
  std::optional<double> test_accuracy;
};

struct DistillationResult {
  RunResult run;
  Choices choices;                    // what was left to the program here, beside run.choices
  LabelledTable images;               // R rows, class after class
  Table targets;                      // R x classes: the labels as distributions
  TrainedModel start;                 // trained on the real rows that were started from, c as for the distilled ones
  TrainedModel distilled;             // trained on the synthetic rows
  std::vector<TrainedModel> random;   // on as many real rows, each with its best c
  std::optional<TrainedModel> whole;  // on all training rows, with its best c; softmax regression only
  std::optional<Certificate> certificate;

  std::optional<Spread> random_test() const;  // of the draws' test accuracies
  /// (distilled - random) / (whole - random) in test accuracy, where all are known.
  std::optional<double> gap_closed() const;
};

/// Told before each stage, e.g. "training on random rows".
using DistillationObserver = std::function<void(std::string_view)>;

/// Distils. Throws InvalidInput where the parts of `data` do not fit together or hold a single class, InvalidOption for
/// options out of range or more rows of a class than there are. An interrupted run still yields its best rows.
DistillationResult distil(const DistillationData& data, const DistillationOptions& options,
                          const std::vector<Observer*>& observers = {}, const DistillationObserver& on_stage = {});

/// Throws what distil() would throw, without computing anything.
void check_distillation(const DistillationData& data, const DistillationOptions& options);

/// The problem that distil() solves, started from `rows` (class after class, one-hot `targets`): for checks and for
/// other methods.
BilevelProblem distillation_problem(const DistillationData& data, const DistillationOptions& options, const Table& rows,
                                    const Table& targets);

/// The options with everything chosen that was left open; notes what and why.
DistillationOptions chosen(DistillationOptions options, Choices& choices);

}  // namespace bilevel
