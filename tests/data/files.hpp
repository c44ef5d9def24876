// Tiny data files for the tests, and checks of error messages.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"

namespace bilevel::data {

/// A folder of its own for each test, removed at its end.
class DataTest : public testing::Test {
 protected:
  DataTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("bilevel-") + test->test_suite_name() + "-" + test->name() + "-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~DataTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Writes a file and returns its path.
  std::string file(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

  std::string content(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path folder_;
};

inline std::string gzip(std::string_view content) {
  z_stream z{};
  deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, content.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  z.avail_in = static_cast<uInt>(content.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

/// An IDX file: header with the type and sizes, then the bytes as given.
inline std::string idx(unsigned type, std::initializer_list<std::uint32_t> sizes, const std::vector<int>& bytes) {
  std::string out = {0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) {
    for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(size >> shift & 0xFF));
  }
  for (const int byte : bytes) out.push_back(static_cast<char>(byte));
  return out;
}

/// Runs `action`, which must throw `Expected`, and checks that the message has every part.
template <typename Expected = InvalidInput, typename Action>
void expect_error(Action action, std::initializer_list<std::string_view> parts) {
  try {
    action();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Expected& error) {
    const std::string message = error.what();
    for (const std::string_view part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in: " << message;
    }
    EXPECT_EQ(message.find('\n'), std::string::npos) << "more than one line: " << message;
  }
}

inline bool has_note(const Table& table, std::string_view part) {
  for (const std::string& note : table.notes) {
    if (note.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace bilevel::data
