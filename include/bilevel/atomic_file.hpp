// Files that appear complete or not at all.
#pragma once

#include <filesystem>
#include <string_view>

namespace bilevel {

/// Writes beside `target` under a random name, "<target>.<16 hexadecimal digits>.part", syncs, then renames: a reader
/// or a crash never sees half a file, and on failure an earlier file stays. No link is followed: the temporary file is
/// always a new one, and a target that is a link is replaced by the file. Temporary files of the same target that a
/// killed program left, more than a minute old and held by nobody, are removed. Throws InvalidInput naming the path and
/// the system's reason.
void write_atomically(const std::filesystem::path& target, std::string_view content);

}  // namespace bilevel
