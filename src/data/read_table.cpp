// Opens what a specification names, recognises the format, and hands over to its reader.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "data/checksum.hpp"
#include "data/csv_lexer.hpp"
#include "data/csv_table.hpp"
#include "data/gzip_file.hpp"
#include "data/idx.hpp"
#include "data/libsvm.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

bool exists(std::string_view path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::path(path), ignored);
}

struct Files {
  std::string first;
  std::string second;  // empty unless the specification is a pair
};

// File names may contain commas: the whole specification is tried first, then every comma as the separator.
Files split_specification(std::string_view spec) {
  if (trim(spec).empty()) throw InvalidInput("the name of a data file is empty");
  const auto comma = spec.find(',');
  if (comma == std::string_view::npos || exists(spec)) return {std::string(spec), ""};
  const auto parts = [&](std::size_t at) {
    return Files{std::string(trim(spec.substr(0, at))), std::string(trim(spec.substr(at + 1)))};
  };
  for (auto at = comma; at != std::string_view::npos; at = spec.find(',', at + 1)) {
    Files files = parts(at);
    if (exists(files.first) && exists(files.second)) return files;
  }
  Files files = parts(comma);
  if (files.first.empty() || files.second.empty() || files.second.find(',') != std::string::npos) {
    throw InvalidInput(fmt::format("{} is neither a file nor a pair of files 'images,labels'", in_quotes(spec)));
  }
  return files;
}

// The content decides; the name only where the content says nothing.
bool is_libsvm(std::string_view text, std::string_view name) {
  if (looks_like_libsvm(text)) return true;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return name.ends_with(".libsvm") || name.ends_with(".svm");
}

Table read(std::string_view spec, const Table* training, const ReadOptions& options) {
  if (training != nullptr && training->format == Format::text) {
    throw InvalidInput(fmt::format("{}: the training data {} is text, but this is to be read as a table",
                                   in_quotes(spec), in_quotes(training->source)));
  }
  Table table;
  table.source = spec;
  const Files files = split_specification(spec);
  std::string bytes = read_bytes(files.first, options.max_bytes);
  if (!files.second.empty()) {
    if (training != nullptr && training->format != Format::idx) {
      throw InvalidInput(fmt::format("{}: is a pair of files, but the training data {} is one file", in_quotes(spec),
                                     in_quotes(training->source)));
    }
    std::string second = read_bytes(files.second, options.max_bytes);
    read_idx_pair(table, std::move(bytes), files.first, std::move(second), files.second, training, options);
    return table;
  }
  if (looks_like_idx(bytes) || (training != nullptr && training->format == Format::idx)) {
    throw InvalidInput(fmt::format("{}: IDX images and labels are given together as 'images,labels'", files.first));
  }
  check_is_text(bytes, files.first, "an IDX pair, CSV or LIBSVM");
  table.source_bytes = bytes.size();
  table.source_checksum = checksum(bytes);
  const std::string_view text = skip_byte_order_mark(bytes);
  const bool libsvm = training != nullptr ? training->format == Format::libsvm : is_libsvm(text, files.first);
  if (libsvm) {
    read_libsvm(table, text, files.first, training, options);
  } else {
    read_csv(table, text, files.first, training, options);
  }
  return table;
}

}  // namespace

Table read_table(std::string_view spec, const ReadOptions& options) { return read(spec, nullptr, options); }

Table read_table_like(std::string_view spec, const Table& training, const ReadOptions& options) {
  return read(spec, &training, options);
}

}  // namespace bilevel::data
