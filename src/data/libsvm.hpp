// The LIBSVM format: "label index:value index:value ... # comment", indices increasing from 1.
#pragma once

#include <string>
#include <string_view>

#include "bilevel/data.hpp"

namespace bilevel::data {

/// Whether at least half of the first lines read like LIBSVM, and one of them has a feature.
bool looks_like_libsvm(std::string_view text);

/// Fills the sparse arrays, labels and classes.
void read_libsvm(Table& table, std::string_view text, const std::string& name, const Table* training,
                 const ReadOptions& options);

}  // namespace bilevel::data
