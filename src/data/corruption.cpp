#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bilevel/data.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

const std::vector<std::string>& corruption_names() {
  static const std::vector<std::string> names = {"uniform", "pairwise"};
  return names;
}

}  // namespace

std::string_view to_string(Corruption corruption) { return corruption_names()[static_cast<std::size_t>(corruption)]; }

Corruption parse_corruption(std::string_view name) {
  const auto& names = corruption_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw InvalidOption(fmt::format("the corruption {} is unknown{}; it must be one of {}", in_quotes(name),
                                    nearest_hint(name, names), list_in_quotes(names)));
  }
  return static_cast<Corruption>(found - names.begin());
}

CorruptedLabels corrupt_labels(std::span<const std::int32_t> labels, std::size_t classes, double fraction,
                               Corruption corruption, std::uint64_t seed) {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw InvalidOption(fmt::format("the fraction of corrupted labels is {}; it must be in [0, 1]", fraction));
  }
  if (classes > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw InvalidOption(fmt::format("{} classes are more than class numbers can tell apart", classes));
  }
  for (const std::int32_t label : labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= classes) {
      throw DimensionMismatch(fmt::format("the label {} is not one of the {} classes", label, classes));
    }
  }
  const auto count = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(labels.size())));
  if (count > 0 && classes < 2) throw InvalidOption("corrupting labels needs at least two classes");

  CorruptedLabels corrupted{.labels = {labels.begin(), labels.end()},
                            .is_wrong = std::vector<std::uint8_t>(labels.size(), 0)};
  Random random(seed);
  const auto order = random.permutation(labels.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t& label = corrupted.labels[order[i]];
    // A step of 1..C-1 around the circle of classes never ends where it began.
    const std::uint64_t step = corruption == Corruption::pairwise ? 1 : 1 + random.below(classes - 1);
    label = static_cast<std::int32_t>((static_cast<std::uint64_t>(label) + step) % classes);
    corrupted.is_wrong[order[i]] = 1;
  }
  return corrupted;
}

}  // namespace bilevel::data
