// Fits a linear model along a path of regularisations and keeps the one that does best on other rows.
#pragma once

#include <atomic>
#include <span>

#include "bilevel/cleaning.hpp"

namespace bilevel {

/// What is fixed along the path.
struct PathOptions {
  LinearModelOptions model;
  double penalty_norm = 2;
  bool penalize_intercept = false;
  const std::atomic<bool>* interrupt = nullptr;
};

/// Minimises 1/N sum_i w_i loss_i(y) + c |y|_p^p for c along the grid, each from the last answer, and keeps the c whose
/// model is most accurate on `chooser` (the larger c of equals). Stops early when three values in a row were no better.
FittedModel fit_path(const LabelledRows& rows, const Vec& weights, const LabelledRows& chooser,
                     const PathOptions& options);

/// The same with all rows of weight one and c chosen by k-fold cross-validation on the rows themselves;
/// trusted_accuracy is that of the folds left out.
FittedModel fit_cross_validated(const LabelledRows& rows, std::size_t folds, const PathOptions& options);

}  // namespace bilevel
