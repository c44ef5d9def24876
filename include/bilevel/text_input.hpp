// Options of inputs that may be texts instead of tables.
#pragma once

#include <cstddef>
#include <string>

#include "bilevel/options.hpp"

namespace bilevel {

struct TextInputOptions {
  std::string text;             // CSV column that holds a text; empty: the files are tables, or folders of texts
  std::size_t buckets = 16384;  // of hashed words, see text.hpp
  bool mail_headers = false;    // keep the headers of texts that are e-mails
};
/// Adds `text` to the table's present group, the others to the group Texts.
void describe(OptionTable& table, TextInputOptions& options);

}  // namespace bilevel
