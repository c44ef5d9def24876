// The IDX format of MNIST: 0, 0, type, number of dimensions, big-endian 32-bit sizes, then the values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/data.hpp"

namespace bilevel::data {

/// Whether the content starts like an IDX file.
bool looks_like_idx(std::string_view bytes);

/// Of the beginning of a file that looks like IDX: throws InvalidInput if its header promises more than max_bytes, or
/// if much more is there than it promises. So that compressed data need not be decompressed to its end to find out.
void check_idx_beginning(std::string_view bytes, const std::string& name, std::size_t max_bytes);

/// The labels of a file with one dimension of integers, already decompressed.
std::vector<std::int64_t> read_idx_labels(std::string content, const std::string& name);

/// Fills rows, features, dense, labels and classes from an image file and a label file, already decompressed.
/// Either may come first.
void read_idx_pair(Table& table, std::string first, const std::string& first_name, std::string second,
                   const std::string& second_name, const Table* training, const ReadOptions& options);

}  // namespace bilevel::data
