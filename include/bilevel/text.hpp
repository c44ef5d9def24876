// Text as training data: messages from folders or a CSV file become sparse rows of hashed words.
//
// A document's words are the maximal runs of letters and digits, in lower case; bytes from 128 on count as letters, so
// that UTF-8 and Latin-1 words stay whole. All numbers are one word. Runs of more than 30 bytes are no words: they are
// base64 lines and identifiers, of which each is another. Everything else separates, markup too: "<a href" is "a" and
// "href". A word that occurs n times has the weight 1 + log n, with a sign, in one of d buckets; bucket and sign come
// from a hash of the word (Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature hashing for large scale
// multitask learning", ICML 2009) that is the same on every machine. Weights in a bucket add up, and each row is scaled
// to Euclidean norm 1. A document without words is a row of zeros.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bilevel/data.hpp"

namespace bilevel::data {

struct TextOptions {
  /// d, the number of features; 16 to 2^24.
  std::size_t buckets = 16384;
  /// Leave out the header of a message that begins like an e-mail (RFC 5322): perhaps a "From " line, then only lines
  /// "Name: value", at least two, and their indented continuations, up to the first empty line. Other texts stay whole.
  bool skip_headers = true;
  /// CSV text column: a name, a 1-based number, or "last". Empty: the column named text, message, body, content or
  /// document, else the one with the longest fields (and a note).
  std::string text = {};
  /// CSV label column: as ReadOptions::label, but never the text column.
  std::string label = {};
  /// Largest accepted size of all documents together, or of an uncompressed CSV file, in bytes.
  std::size_t max_bytes = std::size_t{8} << 30;
};

/// Whether `spec` names text by its form: a folder, or "class:folder" parts (whether or not these folders exist). A CSV
/// file of texts is not recognised: it looks like any other.
bool is_text(std::string_view spec);

/// Reads training data with format Format::text. `spec` is one of
///   "mail"                     a folder with one subfolder for each class, named like it, of .txt files
///   "ham:easy,spam:old"        every .txt file of each folder is of that class; a class may occur again
///   "sms.csv"                  a CSV file, plain or gzip, with a text column and a label column
/// Folders are not searched deeper, and files that are not .txt are ignored. A document may hold any bytes. Rows are in
/// the order of the parts (subfolders: sorted), in each sorted by file name; source_lines counts them from 1, or holds
/// the lines of the CSV file. Throws InvalidInput for content that cannot be used: a folder that is missing, given
/// twice or without documents, fewer than two classes, no word at all; InvalidOption for buckets out of range.
Table read_text(std::string_view spec, const TextOptions& options = {});

/// Reads validation or test data with the classes and the number of buckets of `training`, which read_text has
/// returned; one class alone will do. A class that training lacks is an InvalidInput. If both are CSV files, the
/// columns are those of training, too. `skip_headers` should be as it was for training.
Table read_text_like(std::string_view spec, const Table& training, const TextOptions& options = {});

/// The five folders of the SpamAssassin public mail corpus, 6046 messages, each one source of one class: the name, such
/// as "easy-ham-1", and the specification for read_text_like, such as "ham:/.../easy-ham-1"; several joined by commas
/// are one for read_text. They are looked for in spam-assassin below $BILEVEL_DATA_DIR, else build/datasets here, else
/// /usr/share/datasets. Throws InvalidInput that says how to install them.
std::vector<std::pair<std::string, std::string>> spam_assassin_sources();

}  // namespace bilevel::data
