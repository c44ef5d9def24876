// Opens what a specification of texts names, and makes a table of it.
#include "bilevel/text.hpp"

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "data/checksum.hpp"
#include "data/class_labels.hpp"
#include "data/csv_lexer.hpp"
#include "data/gzip_file.hpp"
#include "data/hashed_words.hpp"
#include "data/number.hpp"
#include "data/text_csv.hpp"
#include "data/text_folders.hpp"

namespace bilevel::data {

namespace {

constexpr std::size_t kFewestBuckets = 16;
constexpr std::size_t kMostBuckets = std::size_t{1} << 24;

// Returns the number of documents without words.
std::size_t read_folders(Table& table, TextCodes& codes, HashedWords& words, const TextOptions& options) {
  TextDocuments documents = list_documents(table.source);
  table.source_checksum = checksum(documents);
  table.notes = std::move(documents.notes);
  table.labels = std::move(documents.labels);
  codes = std::move(documents.codes);
  std::size_t without_words = 0;
  std::size_t bytes_left = options.max_bytes;
  for (const std::string& file : documents.files) {
    const std::string document = read_raw_bytes(file, options.max_bytes);
    if (document.size() > bytes_left) {
      throw InvalidInput(fmt::format("{}: its {} hold more than the allowed {} bytes", table.source,
                                     counted(documents.files.size(), "document"), options.max_bytes));
    }
    bytes_left -= document.size();
    const std::size_t count = words.append_row(options.skip_headers ? without_mail_header(document) : document, table);
    without_words += count == 0 ? 1 : 0;
    table.source_lines.push_back(table.source_lines.size() + 1);
  }
  return without_words;
}

Table read(std::string_view spec, const Table* training, const TextOptions& options) {
  if (trim(spec).empty()) throw InvalidInput("the name of the texts is empty");
  Table table;
  table.source = spec;
  table.format = Format::text;
  table.sparse = true;
  table.features = training != nullptr ? training->features : options.buckets;
  if (table.features < kFewestBuckets || table.features > kMostBuckets) {
    throw InvalidOption(
        fmt::format("buckets is {}; it must be from {} to {}", table.features, kFewestBuckets, kMostBuckets));
  }
  table.row_starts.push_back(0);
  HashedWords words(table.features);
  TextCodes codes;
  std::size_t without_words = 0;
  if (is_text(spec)) {
    without_words = read_folders(table, codes, words, options);
  } else {
    const std::string name(trim(spec));
    const std::string bytes = read_bytes(name, options.max_bytes);
    check_is_text(bytes, name, "a folder, 'class:folder', or a CSV file of texts");
    table.source = name;
    table.source_bytes = bytes.size();
    table.source_checksum = checksum(bytes);
    without_words = read_text_csv(table, codes, words, skip_byte_order_mark(bytes), name, training, options);
  }
  table.rows = table.labels.size();
  if (training == nullptr && without_words == table.rows) {
    throw InvalidInput(fmt::format("{}: none of the {} has a word", table.source, counted(table.rows, "document")));
  }
  if (without_words > 0) {
    table.notes.push_back(
        fmt::format("{} of {} without a word: rows of zeros", without_words, counted(table.rows, "document")));
  }
  number_classes(table, codes, training, {});
  return table;
}

}  // namespace

Table read_text(std::string_view spec, const TextOptions& options) { return read(spec, nullptr, options); }

Table read_text_like(std::string_view spec, const Table& training, const TextOptions& options) {
  if (training.format != Format::text) {
    throw InvalidInput(fmt::format("{}: is to be read as text, but the training data {} is not text", in_quotes(spec),
                                   in_quotes(training.source)));
  }
  return read(spec, &training, options);
}

}  // namespace bilevel::data
