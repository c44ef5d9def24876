// Reweighting: how much each of several training sources should count, for a target that only few rows show.
//
//     follower   y minimises  g(x, y) = sum_k p_k l_k(y) + c |y|^2     p = softmax(x), l_k the mean loss on source k
//     leader     x minimises  f(y)    = 1/M sum_j loss_j(y)            on the target's validation rows
//
// The application of HG-MS, article; methods.md sec. 7. A source whose rows hurt the target's loss loses its weight.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/certificate.hpp"
#include "bilevel/labelled_rows.hpp"
#include "bilevel/leader_step.hpp"
#include "bilevel/network.hpp"
#include "bilevel/run.hpp"

namespace bilevel {

struct ReweightingOptions {
  Index hidden = 0;  // tanh units of a hidden layer; 0: softmax regression
  /// "hoag" solves the follower and the adjoint system to tolerance before each step; "hg_ms" also selects among the
  /// follower's minimisers; "smbg" and "bgs_opt" take a few gradient steps instead. "auto": hoag for softmax
  /// regression, bgs_opt for networks, whose H is not positive definite before they are trained to the end.
  std::string method = "auto";
  /// c. Empty: the best of a grid, for every model anew; in the run it is the leader's too for softmax regression, and
  /// stays at uniform weights' best for networks, which are never trained to the end there and would make it vanish.
  std::optional<double> regularization = std::nullopt;
  StopRule stop = {.tolerance = 1e-3, .improvement = 1e-3, .patience = 5, .max_iterations = 100};
  /// Models are fitted to |g_y| <= tolerance times that of the untrained model. Empty: 3e-4, for networks 3e-3.
  std::optional<double> lower_tolerance = std::nullopt;
  double adjoint_tolerance = 1e-3;  // |H w - f_y| <= tolerance |f_y|
  LeaderRule outer = LeaderRule::adam;
  std::uint64_t seed = 1;   // of the network's first weights, and of the folds of cross-validation
  std::size_t threads = 0;  // of a pass over the data; 0: one for each processor
  bool comparators = true;  // fit what the result is compared with: other weights, the target's rows alone
  bool certificate = true;  // examine the returned pair
};
void describe(OptionTable& table, ReweightingOptions& options);

struct TrainingSource {
  std::string name;
  LabelledRows rows;
};

struct ReweightingData {
  std::size_t classes = 0;              // C >= 2
  std::vector<TrainingSource> sources;  // K >= 2
  LabelledRows valid;                   // M rows of the target
  std::optional<LabelledRows> test;     // of the target, read once, at the end
};

/// A model trained on the sources with some weights, or on the target's rows alone.
struct WeighedModel {
  std::optional<Vec> weights;  // K, sum 1; empty: trained on the target's validation rows alone
  double regularization = 0;   // c
  /// On the target's validation rows; of a model trained on them, by cross-validation.
  double valid_loss = 0, valid_accuracy = 0;
  std::optional<double> test_loss, test_accuracy;
  Status status = Status::converged;  // of the fit
  Vec y;                              // the parameters, in the layout of network.hpp
};

struct ReweightingResult {
  explicit ReweightingResult(const Network& model) : network(model) {}

  Network network;       // the model that every y here belongs to
  RunResult run;         // the bilevel run: x = [logits (K) ; log of c / its first value, if it is learned]
  double first_c = 0;    // c at the start of the run
  WeighedModel learned;  // fitted anew with the learned weights
  std::optional<WeighedModel> uniform, by_size, target_only;
  std::optional<Certificate> certificate;
  std::vector<std::string> warnings;  // what speaks against believing the result, each a sentence

  /// Test accuracy minus that of the best of the three comparators; empty where one of the four is not known.
  std::optional<double> margin() const;
};

/// Learns the weights and fits the models. Throws InvalidInput when the parts of `data` do not fit together,
/// InvalidOption for options out of range. An interrupted or failed run still yields its best weights and their model.
ReweightingResult reweight(const ReweightingData& data, const ReweightingOptions& options,
                           const std::vector<Observer*>& observers = {},
                           const std::function<void(std::string_view)>& on_stage = {});

/// Throws what reweight() would throw, without computing anything.
void check_reweighting(const ReweightingData& data, const ReweightingOptions& options);

/// The bilevel problem above with penalty c, learned where `learn_c`, at x0 = 0 and the network's start. Throws as
/// reweight().
BilevelProblem reweighting_problem(const ReweightingData& data, const ReweightingOptions& options, double c,
                                   bool learn_c);

}  // namespace bilevel
