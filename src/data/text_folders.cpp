#include "data/text_folders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "bilevel/status.hpp"
#include "bilevel/text.hpp"
#include "data/checksum.hpp"
#include "data/gzip_file.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

namespace fs = std::filesystem;

struct Part {
  std::string class_name;
  std::string folder;
};

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool exists(std::string_view path) {
  std::error_code ignored;
  return fs::exists(fs::path(path), ignored);
}

// Length of the class name in "class:folder", 0 if there is none; "data/mail:old" is a path.
std::size_t class_length(std::string_view piece) {
  const auto end = piece.find_first_of(":/");
  return end != std::string_view::npos && piece[end] == ':' && end + 1 < piece.size() ? end : 0;
}

// "class:folder,class:folder"; a comma that no class follows belongs to the folder. Empty if the form is another.
std::vector<Part> split_parts(std::string_view spec) {
  std::vector<Part> parts;
  while (!spec.empty()) {
    const auto comma = std::min(spec.find(','), spec.size());
    const std::string_view piece = spec.substr(0, comma);
    const std::string_view trimmed = trim(piece);
    spec.remove_prefix(std::min(comma + 1, spec.size()));
    const std::size_t length = class_length(trimmed);
    if (length > 0) {
      parts.push_back({std::string(trim(trimmed.substr(0, length))), std::string(trim(trimmed.substr(length + 1)))});
    } else if (parts.empty()) {
      return {};
    } else {
      parts.back().folder += fmt::format(",{}", piece);
    }
  }
  return parts;
}

// What is in a folder and satisfies `wanted`, sorted.
template <typename Wanted>
std::vector<std::string> list(const fs::path& folder, Wanted wanted) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (wanted(*entry)) found.push_back(entry->path().string());
  }
  if (error) throw InvalidInput(fmt::format("{}: cannot be listed ({})", folder.string(), error.message()));
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> documents_in(const fs::path& folder) {
  return list(folder, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    return equal_ignoring_case(entry.path().extension().string(), ".txt") && entry.is_regular_file(ignored);
  });
}

void add(TextDocuments& documents, const std::vector<std::string>& files, std::string_view class_name) {
  const std::int32_t code = documents.codes.code(class_name);
  documents.files.insert(documents.files.end(), files.begin(), files.end());
  documents.labels.insert(documents.labels.end(), files.size(), code);
}

void add_subfolders(TextDocuments& documents, const std::string& folder) {
  const auto subfolders = list(folder, [](const fs::directory_entry& entry) { return is_folder(entry.path()); });
  std::vector<std::string> without;
  for (const std::string& subfolder : subfolders) {
    const auto files = documents_in(subfolder);
    const std::string class_name = fs::path(subfolder).filename().string();
    if (files.empty()) {
      without.push_back(class_name);
    } else {
      add(documents, files, class_name);
    }
  }
  const std::size_t loose = documents_in(folder).size();
  if (documents.files.empty()) {
    throw InvalidInput(
        loose > 0
            ? fmt::format("{}: its {} lie in no subfolder, so their class is not known; give 'class:{}'", folder,
                          counted(loose, ".txt file"), folder)
            : fmt::format("{}: has no .txt file in any subfolder; one subfolder for each class is needed", folder));
  }
  if (!without.empty()) {
    documents.notes.push_back(fmt::format("{} of {} without .txt files: {} ignored",
                                          counted(without.size(), "subfolder"), in_quotes(folder),
                                          list_in_quotes(without)));
  }
  if (loose > 0) {
    documents.notes.push_back(
        fmt::format("{} of {} in no subfolder: ignored", counted(loose, ".txt file"), in_quotes(folder)));
  }
}

void add_part(TextDocuments& documents, const Part& part) {
  if (!is_folder(part.folder)) {
    const bool is_file = exists(part.folder);
    throw InvalidInput(fmt::format("{}: {}, given for the class {}{}", part.folder,
                                   is_file ? "is a file, not a folder" : "no such folder", in_quotes(part.class_name),
                                   is_file ? "" : nearest_entry_hint(part.folder)));
  }
  const auto files = documents_in(part.folder);
  if (files.empty()) {
    throw InvalidInput(fmt::format("{}: has no .txt file for the class {}", part.folder, in_quotes(part.class_name)));
  }
  add(documents, files, part.class_name);
}

}  // namespace

bool is_text(std::string_view spec) {
  spec = trim(spec);
  if (exists(spec)) return is_folder(spec);
  const auto parts = split_parts(spec);
  // A pair of IDX files may have colons in its names.
  const auto is_file = [](const Part& part) { return exists(part.class_name + ":" + part.folder); };
  return !parts.empty() && std::none_of(parts.begin(), parts.end(), is_file);
}

TextDocuments list_documents(std::string_view spec) {
  const std::string whole(trim(spec));
  TextDocuments documents;
  if (is_folder(whole)) {
    add_subfolders(documents, whole);
    return documents;
  }
  std::set<fs::path> seen;
  for (const Part& part : split_parts(whole)) {
    std::error_code ignored;
    if (!seen.insert(fs::canonical(part.folder, ignored)).second && is_folder(part.folder)) {
      throw InvalidInput(fmt::format("{}: is given twice in {}", part.folder, in_quotes(whole)));
    }
    add_part(documents, part);
  }
  return documents;
}

std::uint32_t checksum(const TextDocuments& documents) {
  return checksum(fmt::format("{}", fmt::join(documents.files, "\n")));
}

}  // namespace bilevel::data
