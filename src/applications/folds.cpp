#include "applications/folds.hpp"

#include <algorithm>

#include "bilevel/random.hpp"

namespace bilevel {

std::vector<std::vector<std::uint32_t>> deal_folds(std::size_t count, std::span<const std::int32_t> labels,
                                                   std::size_t folds, std::uint64_t seed) {
  auto order = Random(seed).permutation(count);
  if (!labels.empty()) {
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return labels[a] < labels[b]; });
  }
  std::vector<std::vector<std::uint32_t>> dealt(folds);
  for (std::size_t i = 0; i < order.size(); ++i) dealt[i % folds].push_back(order[i]);
  for (auto& rows : dealt) std::sort(rows.begin(), rows.end());
  return dealt;
}

std::vector<std::uint32_t> others(const std::vector<std::uint32_t>& rows, std::size_t count) {
  std::vector<std::uint32_t> rest;
  rest.reserve(count - rows.size());
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < count; ++row) {
    if (next < rows.size() && rows[next] == row) {
      ++next;
    } else {
      rest.push_back(row);
    }
  }
  return rest;
}

}  // namespace bilevel
