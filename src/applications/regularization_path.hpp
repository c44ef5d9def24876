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
  const std::atomic<bool>* interrupt = nullptr;
};

/// From strong to weak: three values a decade.
std::span<const double> regularization_grid();

/// Minimises 1/N sum_i w_i loss_i(y) + c |y|_p^p for c along the grid, each from the last answer, and keeps the c whose
/// model is most accurate on `chooser` (the larger c of equals). Stops early when the accuracy has fallen three times.
FittedModel fit_path(const LabelledRows& rows, const Vec& weights, const LabelledRows& chooser,
                     const PathOptions& options);

/// The same with all rows of weight one and c chosen by k-fold cross-validation on the rows themselves.
FittedModel fit_cross_validated(const LabelledRows& rows, std::size_t folds, const PathOptions& options);

}  // namespace bilevel
