#include "bilevel/detection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

namespace {

/// Mann-Whitney statistic with average ranks for ties.
double area_under_curve(std::span<const double> suspicion, std::span<const std::uint8_t> is_wrong, std::size_t wrong) {
  const std::size_t count = suspicion.size(), right = count - wrong;
  if (wrong == 0 || right == 0) return 0.5;
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return suspicion[a] < suspicion[b]; });
  double rank_sum = 0;
  for (std::size_t first = 0, last = 0; first < count; first = last) {
    std::size_t wrong_here = 0;
    for (last = first; last < count && suspicion[order[last]] == suspicion[order[first]]; ++last) {
      wrong_here += is_wrong[order[last]] != 0;
    }
    const double average_rank = 0.5 * static_cast<double>(first + last + 1);
    rank_sum += average_rank * static_cast<double>(wrong_here);
  }
  const auto w = static_cast<double>(wrong);
  return (rank_sum - w * (w + 1) / 2) / (w * static_cast<double>(right));
}

}  // namespace

Detection measure_detection(std::span<const std::uint8_t> flagged, std::span<const double> suspicion,
                            std::span<const std::uint8_t> is_wrong) {
  if (flagged.size() != is_wrong.size() || suspicion.size() != is_wrong.size()) {
    throw DimensionMismatch(fmt::format("detection needs as many flags ({}) and suspicions ({}) as truths ({})",
                                        flagged.size(), suspicion.size(), is_wrong.size()));
  }
  const auto undefined = std::find_if(suspicion.begin(), suspicion.end(), [](double s) { return std::isnan(s); });
  if (undefined != suspicion.end()) {
    throw InvalidInput(
        fmt::format("the suspicion of row {} is not a number, so it has no rank", undefined - suspicion.begin()));
  }
  Detection result;
  std::size_t hits = 0;
  for (std::size_t i = 0; i < is_wrong.size(); ++i) {
    result.wrong += is_wrong[i] != 0;
    result.flagged += flagged[i] != 0;
    hits += flagged[i] != 0 && is_wrong[i] != 0;
  }
  const auto share = [&](std::size_t whole) {
    return whole == 0 ? 1.0 : static_cast<double>(hits) / static_cast<double>(whole);
  };
  result.precision = share(result.flagged);
  result.recall = share(result.wrong);
  const double sum = result.precision + result.recall;
  result.f1 = sum > 0 ? 2 * result.precision * result.recall / sum : 0;
  result.auc = area_under_curve(suspicion, is_wrong, result.wrong);
  return result;
}

}  // namespace bilevel
