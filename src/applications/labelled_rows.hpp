// Whether rows with labels fit a task.
#pragma once

#include <cstddef>
#include <string_view>

#include "bilevel/labelled_rows.hpp"

namespace bilevel {

/// Throws InvalidInput, naming the rows as the `what` rows, unless there is one label for each row, the features are as
/// many as the training rows have, and the labels are 0..classes-1.
void check_labelled_rows(std::string_view what, const LabelledRows& rows, std::size_t features, std::size_t classes);

/// The rows at `positions` (repetitions allowed), without copying features.
LabelledRows pick(const LabelledRows& rows, const std::vector<std::uint32_t>& positions);

}  // namespace bilevel
