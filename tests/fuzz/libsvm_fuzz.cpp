// LIBSVM files, through the recognition of the format (and so gzip).
#include "fuzz/table_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bilevel::testing::MemoryFile file(bilevel::testing::text_of(data, size));
  bilevel::testing::read_twice(file.name(), {.max_bytes = bilevel::testing::kMostBytes});
  return 0;
}
