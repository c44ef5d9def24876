#include "data/gzip_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>
#include <vector>

#include "bilevel/status.hpp"
#include "core/shown.hpp"
#include "data/idx.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

// Of a file's name in a message.
constexpr std::size_t kLongestName = 200;

bool is_gzip(const std::string& bytes, std::size_t at = 0) {
  return bytes.size() >= at + 2 && bytes[at] == '\x1f' && bytes[at + 1] == '\x8b';
}

// A first guess of the decompressed size: the last four bytes of a gzip file give it, but a damaged file may lie.
std::size_t expected_size(const std::string& compressed, std::size_t max_bytes) {
  constexpr std::size_t kSmallest = 4096;
  constexpr std::size_t kHighestRatio = 20;
  std::size_t promised = 0;
  for (std::size_t i = 1; i <= 4 && i <= compressed.size(); ++i) {
    promised = promised << 8 | static_cast<unsigned char>(compressed[compressed.size() - i]);
  }
  const std::size_t plausible = std::min(promised, compressed.size() * kHighestRatio);
  return std::min(std::max(plausible, kSmallest), max_bytes) + 1;
}

struct Inflater {
  z_stream stream{};
  Inflater() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

std::string nearest_entry_hint(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return nearest_hint(path.filename().string(), names);
}

std::string decompress_gzip(const std::string& compressed, const std::string& name, std::size_t max_bytes,
                            const CheckBlock& check) {
  constexpr std::size_t kLargestChunk = std::size_t{1} << 20;  // what is checked at a time; zlib counts in 32 bits
  std::size_t checked = 0;
  Inflater inflater;
  z_stream& z = inflater.stream;
  std::string bytes(expected_size(compressed, max_bytes), '\0');
  std::size_t consumed = 0;
  std::size_t produced = 0;
  for (;;) {
    if (produced == bytes.size()) bytes.resize(std::min(2 * bytes.size(), max_bytes + 1));
    const std::size_t input = std::min(compressed.size() - consumed, kLargestChunk);
    const std::size_t room = std::min(bytes.size() - produced, kLargestChunk);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data() + consumed));
    z.avail_in = static_cast<uInt>(input);
    z.next_out = reinterpret_cast<Bytef*>(bytes.data() + produced);
    z.avail_out = static_cast<uInt>(room);
    const int result = inflate(&z, Z_NO_FLUSH);
    consumed += input - z.avail_in;
    produced += room - z.avail_out;
    if (check && (produced - checked >= kLargestChunk || result == Z_STREAM_END)) {
      check(std::string_view(bytes).substr(0, produced), checked);
      checked = produced;
    }
    if (produced > max_bytes) {
      throw InvalidInput(fmt::format("{}: decompresses to more than the allowed {} bytes", name, max_bytes));
    }
    if (result == Z_STREAM_END) {
      if (consumed == compressed.size()) break;
      if (!is_gzip(compressed, consumed)) {
        throw InvalidInput(fmt::format("{}: the gzip data ends at byte {}, but {} follow; remove them", name, consumed,
                                       counted(compressed.size() - consumed, "byte")));
      }
      inflateReset(&z);
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      throw InvalidInput(fmt::format("{}: damaged gzip data before byte {} ({}); copy the file again", name, consumed,
                                     z.msg != nullptr ? z.msg : "unknown content"));
    } else if (consumed == compressed.size() && z.avail_out > 0) {
      throw InvalidInput(
          fmt::format("{}: the gzip data breaks off after {} bytes ({} decompressed); copy the file again", name,
                      consumed, produced));
    }
  }
  bytes.resize(produced);
  return bytes;
}

namespace {

struct OpenFile {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> handle;
  std::size_t size;
};

OpenFile open_file(const std::filesystem::path& path) {
  const std::string name = shown(path.string(), kLongestName);
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw InvalidInput(fmt::format("{}: no such file{}", name, nearest_entry_hint(path)));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw InvalidInput(fmt::format(
        "{}: {}", name,
        std::filesystem::is_directory(status) ? "is a folder; give a file in it" : "is not a readable regular file"));
  }
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw InvalidInput(fmt::format("{}: cannot be read ({})", name, error.message()));
  OpenFile file{{std::fopen(path.c_str(), "rb"), &std::fclose}, size};
  if (!file.handle) throw InvalidInput(fmt::format("{}: cannot be opened ({})", name, std::strerror(errno)));
  return file;
}

}  // namespace

std::string read_raw_bytes(const std::filesystem::path& path, std::size_t max_bytes) {
  const std::string name = path.string();
  const OpenFile file = open_file(path);
  if (file.size > max_bytes) {
    throw InvalidInput(fmt::format("{}: holds {} bytes, more than the allowed {}", name, file.size, max_bytes));
  }
  std::string bytes(file.size, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.handle.get()));
  if (bytes.size() != file.size) {
    throw InvalidInput(fmt::format("{}: only {} of {} bytes could be read", name, bytes.size(), file.size));
  }
  return bytes;
}

std::string read_bytes(const std::filesystem::path& path, std::size_t max_bytes) {
  std::string bytes = read_raw_bytes(path, max_bytes);
  if (bytes.empty()) throw InvalidInput(fmt::format("{}: the file is empty", path.string()));
  if (!is_gzip(bytes)) return bytes;
  const std::string name = path.string();
  return decompress_gzip(bytes, name, max_bytes, [&](std::string_view so_far, std::size_t checked) {
    if (looks_like_idx(so_far)) {
      check_idx_beginning(so_far, name, max_bytes);
    } else {
      check_is_text(so_far, name, "IDX data, or text as CSV or LIBSVM", checked);
    }
  });
}

std::string read_beginning(const std::filesystem::path& path, std::size_t most) {
  const OpenFile file = open_file(path);
  std::string bytes(std::min(most, file.size), '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.handle.get()));
  if (!is_gzip(bytes)) return bytes;
  Inflater inflater;
  z_stream& z = inflater.stream;
  std::string beginning(most, '\0');
  z.next_in = reinterpret_cast<Bytef*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(beginning.data());
  z.avail_out = static_cast<uInt>(beginning.size());
  inflate(&z, Z_SYNC_FLUSH);  // what is damaged ends early; who reads all of it says so
  beginning.resize(beginning.size() - z.avail_out);
  return beginning;
}

void check_is_text(std::string_view bytes, const std::string& name, std::string_view expected, std::size_t from) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    throw InvalidInput(fmt::format("{}: is UTF-16 text; save it as UTF-8", name));
  }
  const auto zero = bytes.find('\0', from);
  if (zero != std::string_view::npos) {
    throw InvalidInput(
        fmt::format("{}: has a zero byte at position {}, so it is not text; expected {}", name, zero + 1, expected));
  }
}

}  // namespace bilevel::data
