#include "applications/labelled_rows.hpp"

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

void check_labelled_rows(std::string_view what, const LabelledRows& rows, std::size_t features, std::size_t classes) {
  if (rows.labels.size() != rows.features.rows()) {
    throw InvalidInput(fmt::format("the {} rows have {} labels for {} rows of features", what, rows.labels.size(),
                                   rows.features.rows()));
  }
  if (rows.features.features() != features) {
    throw InvalidInput(fmt::format("the {} rows have {} features, but the training rows have {}", what,
                                   rows.features.features(), features));
  }
  for (const auto label : rows.labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= classes) {
      throw InvalidInput(fmt::format("the {} rows hold label {}, but labels are 0 to {}", what, label, classes - 1));
    }
  }
}

LabelledRows pick(const LabelledRows& rows, const std::vector<std::uint32_t>& positions) {
  LabelledRows picked{rows.features.subset(positions), {}};
  for (const auto position : positions) picked.labels.push_back(rows.labels[position]);
  return picked;
}

}  // namespace bilevel
