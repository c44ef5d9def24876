#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "bilevel/data.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

// How many rows of each class to hold out: in proportion, remainders to the largest fractions, then moved on from
// classes that would lose their last training row, as long as others have rows to spare.
std::vector<std::size_t> quotas(const std::vector<std::size_t>& sizes, std::size_t count) {
  const std::size_t rows = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  const std::size_t keepable = rows - sizes.size();  // rows beyond the one that each class keeps
  std::vector<std::size_t> quota;
  std::vector<double> remainder;
  for (const std::size_t size : sizes) {
    const double exact = static_cast<double>(count) * static_cast<double>(size) / static_cast<double>(rows);
    const std::size_t limit = count <= keepable ? size - 1 : size;
    quota.push_back(std::min(static_cast<std::size_t>(exact), limit));
    remainder.push_back(exact - static_cast<double>(quota.back()));
  }
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return remainder[a] > remainder[b]; });
  std::size_t missing = count - std::accumulate(quota.begin(), quota.end(), std::size_t{0});
  while (missing > 0) {
    for (const std::size_t c : order) {
      const std::size_t limit = count <= keepable ? sizes[c] - 1 : sizes[c];
      if (missing > 0 && quota[c] < limit) {
        ++quota[c];
        --missing;
      }
    }
  }
  return quota;
}

}  // namespace

Split hold_out_count(std::span<const std::int32_t> labels, std::size_t count, std::uint64_t seed) {
  if (count == 0 || count >= labels.size()) {
    throw InvalidOption(
        fmt::format("{} held-out rows of {}: at least one row must be held out and one be left", count, labels.size()));
  }
  const auto unknown = std::find_if(labels.begin(), labels.end(), [](std::int32_t label) { return label < 0; });
  if (unknown != labels.end()) {
    throw InvalidInput(
        fmt::format("row {} has the label {}, but class numbers are 0 or more", unknown - labels.begin(), *unknown));
  }
  std::map<std::int32_t, std::size_t> place;
  for (const std::int32_t label : labels) place.emplace(label, 0);
  std::size_t next = 0;
  for (auto& [label, index] : place) index = next++;
  std::vector<std::size_t> sizes(place.size(), 0);
  for (const std::int32_t label : labels) ++sizes[place[label]];

  std::vector<std::size_t> quota = quotas(sizes, count);
  std::vector<bool> is_held_out(labels.size(), false);
  Random random(seed);
  for (const std::uint32_t row : random.permutation(labels.size())) {
    std::size_t& left = quota[place[labels[row]]];
    if (left == 0) continue;
    --left;
    is_held_out[row] = true;
  }
  Split split;
  for (std::uint32_t row = 0; row < labels.size(); ++row) {
    (is_held_out[row] ? split.held_out : split.train).push_back(row);
  }
  return split;
}

Split hold_out_fraction(std::span<const std::int32_t> labels, double fraction, std::uint64_t seed) {
  if (!(fraction > 0 && fraction < 1)) {
    throw InvalidOption(fmt::format("the held-out fraction is {}; it must be above 0 and below 1", fraction));
  }
  const auto count = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(labels.size())));
  return hold_out_count(labels, std::max<std::size_t>(count, 1), seed);
}

}  // namespace bilevel::data
