// The oracles of a softmax model on minibatches, and a step of a stochastic method, against the multiply-add peak.
#pragma once

#include <vector>

#include "bench_row.hpp"

/// Batches drawn epoch by epoch from 20000 x 784 dense features, so that most rows come from memory, with 10 classes
/// and an intercept; then batches of 64 rows of 150 stored values among 16384. float32 and float64, one thread;
/// processor time. "step" is what SOBA computes: gradient and both products of the training objective on one batch, in
/// one pass, the validation gradient on another, and the updates of x (a weight for each row), y and v.
///
/// bound_seconds is the multiply-adds of the thin products (two for a gradient, two more for a product) at the peak
/// between the repetitions, memory_bound_seconds the time to read the rows of one batch once; a step reads two. A call
/// takes at least the greater.
std::vector<BenchRow> bench_minibatches();
