// Files that appear complete or not at all.
#pragma once

#include <filesystem>
#include <string_view>

namespace bilevel {

/// Writes beside `target` under another name, syncs, then renames: a reader or a crash never sees half a file, and on
/// failure an earlier file stays. Throws InvalidInput naming the path and the system's reason.
void write_atomically(const std::filesystem::path& target, std::string_view content);

}  // namespace bilevel
