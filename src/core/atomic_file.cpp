#include "bilevel/atomic_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "bilevel/status.hpp"

namespace bilevel {

void write_atomically(const std::filesystem::path& target, std::string_view content) {
  std::filesystem::path temporary = target;
  temporary += fmt::format(".{}.part", getpid());
  const auto fail = [&] {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw InvalidInput(fmt::format("{}: cannot be written ({})", target.string(), reason));
  };
  std::FILE* const file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) fail();
  bool complete = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  complete = std::fflush(file) == 0 && fsync(fileno(file)) == 0 && complete;
  complete = std::fclose(file) == 0 && complete;
  if (!complete || std::rename(temporary.c_str(), target.c_str()) != 0) fail();
}

}  // namespace bilevel
