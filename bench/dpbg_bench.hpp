// One leader step of DPBG on a game with one follower variable, the loop run() and its trace included.
#pragma once

#include <vector>

#include "bench_row.hpp"

/// Rows: the game as differentiated lambdas and as own objectives, with a given and with an automatic leader step. The
/// bound is a loop over doubles written by hand that takes the same steps with the given one.
std::vector<BenchRow> bench_dpbg();
