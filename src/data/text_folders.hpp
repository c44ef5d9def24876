// Which documents a specification of text folders names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/data.hpp"
#include "data/class_labels.hpp"

namespace bilevel::data {

struct TextDocuments {
  std::vector<std::string> files;    ///< in the order of the rows
  std::vector<std::int32_t> labels;  ///< codes of their classes ...
  TextCodes codes;                   ///< ... whose names are here
  std::vector<std::string> notes;    ///< what was left out
};

/// Lists the documents of a specification for which is_text holds. Throws InvalidInput for a folder that is missing,
/// cannot be listed, is given twice or has no documents.
TextDocuments list_documents(std::string_view spec);

/// Checksum of the names of the files, in order: rows are known by their number only, which must not have changed.
std::uint32_t checksum(const TextDocuments& documents);

}  // namespace bilevel::data
