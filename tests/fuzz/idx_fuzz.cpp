// Pairs of IDX files: two bytes say how long the first is, the second follows it.
#include <algorithm>

#include "fuzz/table_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto both = bilevel::testing::text_of(data, size).substr(2);
  const std::size_t first = std::min<std::size_t>(256u * data[0] + data[1], both.size());
  const bilevel::testing::MemoryFile images(both.substr(0, first)), labels(both.substr(first));
  bilevel::testing::read_twice(images.name() + "," + labels.name(), {.max_bytes = bilevel::testing::kMostBytes});
  return 0;
}
