#include "bilevel/reweighting.hpp"

namespace bilevel {

void describe(OptionTable& table, ReweightingOptions& options) {
  table.group("Model")
      .add("hidden", options.hidden, "tanh units of a hidden layer; 0: softmax regression without one",
           between(0, 10000))
      .add("regularization", options.regularization,
           "weight c of the penalty c |y|^2; auto: the best of a grid, without a hidden layer learned with the weights",
           greater_than(0));
  table.group("Method")
      .add("method", options.method,
           "hoag solves the follower before each step; hg_ms also selects among its minimisers; smbg and bgs_opt take "
           "a few gradient steps instead; auto: hoag, with a hidden layer bgs_opt",
           one_of({"auto", "hoag", "hg_ms", "bgs_opt", "smbg"}))
      .add("outer", options.outer, "the leader's step",
           {{"adam", LeaderRule::adam}, {"gradient-descent", LeaderRule::gradient_descent}})
      .add("lower-tolerance", options.lower_tolerance,
           "models are fitted until the gradient is below this times that of the untrained model; auto: 3e-4, with a "
           "hidden layer 3e-3",
           between(1e-12, 0.1))
      .add("adjoint-tolerance", options.adjoint_tolerance, "the adjoint system is solved to |H w - f_y| <= this |f_y|",
           between(1e-12, 0.5));
  describe(table, options.stop);
  table.group("Computation")
      .add("seed", options.seed, "of the network's first weights, of what is drawn, and of folds")
      .add("threads", options.threads, "threads of a pass over the data; 0: one for each processor", between(0, 1024))
      .add("comparators", options.comparators,
           "also train what the result is compared with: uniform weights, weights by size, the target's rows alone")
      .add("certificate", options.certificate,
           "also examine what the returned pair is to the bilevel problem: eigenvalues, residuals, a verdict");
}

}  // namespace bilevel
