// Softmax models and networks of one hidden layer on a few rows that the leader makes up, and on real data.
//
// The follower's variable y holds the weights:
//     linear (hidden = 0)  y = [ W (outputs x inputs, row by row) ; b (outputs) ],            scores = W u + b
//     two layers           y = [ W (hidden x inputs) ; b (hidden) ; V (outputs x hidden) ; c (outputs) ],
//                          scores = V tanh(W u + b) + c
// The linear layout is that of linear_models.hpp with an intercept.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "bilevel/feature_matrix.hpp"
#include "bilevel/objective.hpp"

namespace bilevel {

using Table = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The loss of one row with scores s in R^C and target t in R^C.
enum class NetworkLoss : std::uint8_t {
  cross_entropy,  // sum_c t_c (log sum_k exp(s_k) - s_c), t a distribution
  squared,        // |s - t|^2 / 2
};
std::string_view to_string(NetworkLoss loss);

struct NetworkOptions {
  Index inputs = 0;   // d >= 1
  Index hidden = 0;   // 0: no hidden layer
  Index outputs = 2;  // C >= 1; cross entropy wants at least 2
  NetworkLoss loss = NetworkLoss::cross_entropy;
};

/// A network without data: sizes, a start, predictions.
class Network {
 public:
  /// Throws InvalidOption for options out of range.
  explicit Network(const NetworkOptions& options);

  const NetworkOptions& options() const { return options_; }
  Index dim_y() const;

  /// Seeded normal weights of variance 1 / fan-in, intercepts zero; linear: all zero.
  Vec start(std::uint64_t seed) const;

  /// rows x C. Throws DimensionMismatch if the rows or y do not fit, as all below.
  Table predict_scores(const Table& rows, const Vec& y) const;
  Table predict_scores(const FeatureMatrix& rows, const Vec& y) const;
  /// The output of the greatest score, the first of equals.
  std::vector<std::int32_t> predict_labels(const Table& rows, const Vec& y) const;
  std::vector<std::int32_t> predict_labels(const FeatureMatrix& rows, const Vec& y) const;
  /// Share of rows whose predicted label is the given one, in [0, 1].
  double accuracy(const Table& rows, std::span<const std::int32_t> labels, const Vec& y) const;
  double accuracy(const FeatureMatrix& rows, std::span<const std::int32_t> labels, const Vec& y) const;

 private:
  NetworkOptions options_;
};

/// f(x, y) = 1/N sum_i loss(scores(u_i), t_i) on fixed rows, named "network loss"; does not depend on the dim_x entries
/// of x. `targets` is N x C. One pass over the rows uses `threads` threads (0: one for each processor). All oracles;
/// a Batch selects rows. Throws DimensionMismatch, InvalidInput for a row or target that is not finite.
std::shared_ptr<const Objective> network_loss(const Network& network, Table rows, Table targets, Index dim_x,
                                              std::size_t threads = 1);

/// The same on stored rows, dense or sparse, with one-hot targets of `labels`, one for each row. Passes over the data
/// run in the rows' precision; products along directions keep N x (hidden + 2 C) numbers of that precision. Throws
/// DimensionMismatch, InvalidInput for a label outside 0..C-1.
std::shared_ptr<const Objective> network_loss(const Network& network, const FeatureMatrix& rows,
                                              std::vector<std::int32_t> labels, Index dim_x, std::size_t threads = 1);

/// What of the training set is the leader's.
struct SyntheticOptions {
  bool learn_rows = true;      // the rows u_r
  bool learn_targets = false;  // the targets t_r: softmax of the leader's entries for cross entropy, else these entries
  double regularization = 0;   // c >= 0
};

/// The follower trains on R rows of the leader's making:
///     g(x, y) = 1/R sum_r loss(scores(u_r), t_r) + c |y|^2
/// with x = [ rows (R x d, row by row) ; target entries (R x C, row by row) ], each part only if it is learned, else
/// as given here (targets then are t themselves). `rows` is R x d, `targets` R x C. All oracles; one sample.
/// Throws DimensionMismatch, InvalidOption, InvalidInput.
std::shared_ptr<const Objective> synthetic_training(const Network& network, Table rows, Table targets,
                                                    const SyntheticOptions& options);

/// One-hot targets, N x C. Throws InvalidInput for a label outside 0..classes-1.
Table one_hot(std::span<const std::int32_t> labels, Index classes);

}  // namespace bilevel
