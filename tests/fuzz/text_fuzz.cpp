// CSV files of documents.
#include "bilevel/text.hpp"
#include "fuzz/table_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bilevel::testing::MemoryFile file(bilevel::testing::text_of(data, size));
  const bilevel::data::TextOptions options{.buckets = 64, .max_bytes = bilevel::testing::kMostBytes};
  try {
    const auto table = bilevel::data::read_text(file.name(), options);
    bilevel::testing::check_table(table);
    bilevel::testing::check_table(bilevel::data::read_text_like(file.name(), table, options));
  } catch (const bilevel::InvalidInput&) {
  }
  return 0;
}
