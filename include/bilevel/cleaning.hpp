// Data hyper-cleaning: find the mislabelled rows of a training set, and a model that ignores them.
//
//     follower   y minimises  g(x, y) = 1/N sum_i sigmoid(x_i) loss_i(y) + c |y|_p^p       over the training rows
//     leader     x minimises  f(y)    = 1/M sum_j loss_j(y)                                over the trusted rows
//
// A row whose loss hurts the trusted rows gets a small weight sigmoid(x_i): that is the suspicion.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/certificate.hpp"
#include "bilevel/detection.hpp"
#include "bilevel/labelled_rows.hpp"
#include "bilevel/linear_models.hpp"
#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"

namespace bilevel {

struct CleaningOptions {
  /// An outer method's name, see registry.hpp.
  std::string method = "smbg";
  /// "name=value": options of another method than smbg, as in the registry. The leader's rule is Adam where the method
  /// offers it, unless it is given.
  std::vector<std::string> settings = {};
  /// At most 40 warm steps and a stop at 2 % in 5 steps: of the pairs tried on Fashion-MNIST with half the labels wrong
  /// this one had the best worst accuracy over five seeds. The early stop is what keeps N weights from fitting M rows.
  SmbgOptions smbg = {.max_inner_steps = 40, .leader = {.rule = LeaderRule::adam}};
  StopRule stop = {.tolerance = 1e-3, .improvement = 0.02, .patience = 5, .max_iterations = 100};
  /// c. Empty: the value that cross-validation on the trusted rows chooses, times M / N, since the best c for a mean of
  /// losses is inversely proportional to the number of rows.
  std::optional<double> regularization;
  double penalty_norm = 2;          // p >= 2
  bool penalize_intercept = false;  // whether the intercepts are among the y of the penalty
  std::size_t threads = 0;          // 0: one for each processor
  bool comparators = true;          // fit the models that the result is compared with
  bool certificate = true;          // examine the pair that the run returns; costs some hundred passes over the rows
};
void describe(OptionTable& table, CleaningOptions& options);

struct CleaningData {
  std::size_t classes;
  LabelledRows train;                // N rows, some with a wrong label
  LabelledRows trusted;              // M rows that the leader believes
  std::optional<LabelledRows> test;  // read once, at the end
  /// N, -1 where not known. Only measures: detection over the rows whose truth is known, and the ceiling.
  std::optional<std::vector<std::int32_t>> true_labels;
};

/// A plainly fitted model: the follower's problem with fixed row weights, and its c chosen on the trusted rows.
struct FittedModel {
  Vec y;
  double regularization = 0;
  double trusted_accuracy = 0;
  std::optional<double> test_accuracy;
  std::optional<Detection> detection;  // flagging the training rows whose label it does not predict
};

struct CleaningResult {
  RunResult run;                        // the bilevel run
  std::vector<double> weights;          // N: sigmoid of run.best_x; a row is suspect below 1/2
  std::vector<std::int32_t> suggested;  // N: the given label, or for suspects the most likely other one
  /// N rows, most suspicious first: the suspects before the others, among each by the loss of the given label under the
  /// cleaned model (the logits saturate, so far from 0 their order says little).
  std::vector<std::uint32_t> ranking;
  std::size_t suspects = 0;
  FittedModel cleaned;                 // fitted with the learned weights
  std::optional<Detection> detection;  // of the suspects, where the truth is known
  std::optional<FittedModel> noisy;    // fitted to the training rows as they are
  std::optional<FittedModel> trusted;  // fitted to the trusted rows alone, c by cross-validation
  std::optional<FittedModel> ceiling;  // fitted to the rows known to be right alone
  double chosen_regularization = 0;    // c of the bilevel run
  /// What run.best_x, run.best_y are to the bilevel problem, where it was asked for and nothing was interrupted.
  /// Cleaning stops early on purpose, so that "not converged" is the usual verdict; its advice says so.
  std::optional<Certificate> certificate;
  /// What speaks against believing the result, each a sentence; needs the comparators.
  std::vector<std::string> warnings;
  /// (cleaned - noisy) / (ceiling - noisy) in test accuracy, if all three are known and the gap is not zero.
  std::optional<double> gap_closed() const;
};

/// The problem that clean() solves, with penalty c, at x0 = 0 and y0 = 0. Throws InvalidInput as clean() does.
BilevelProblem cleaning_problem(const CleaningData& data, const CleaningOptions& options, double c);

/// c where it is left open: what cross-validation on the trusted rows chooses, times M / N.
double cleaning_regularization(const CleaningData& data, const CleaningOptions& options);

/// How well the suspects, which are the rows i with weights sigmoid(x_i) below 1/2, are the rows with wrong labels,
/// over those whose truth is known. Empty where none is.
std::optional<Detection> cleaning_detection(const CleaningData& data, const Vec& x);

/// The budget of a certificate of cleaning: about two seconds for 20,000 rows of 784 features.
CertificateOptions cleaning_certificate_options();

/// Told before each stage, e.g. "fitting the trusted rows alone".
using StageObserver = std::function<void(std::string_view)>;

/// Cleans. Throws InvalidInput when the parts of `data` do not fit together or hold a single class, InvalidOption for
/// options out of range, and for the forward hypergradient (a column for each row) of more than 2000 rows. An
/// interrupted or failed bilevel run still yields weights and a cleaned model.
CleaningResult clean(const CleaningData& data, const CleaningOptions& options,
                     const std::vector<Observer*>& observers = {}, const StageObserver& on_stage = {});

}  // namespace bilevel
