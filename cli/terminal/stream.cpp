#include "terminal/stream.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "terminal/visible.hpp"

namespace bilevel::cli {

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

bool is_dumb_terminal() {
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) == "dumb";
}

bool use_colour(int descriptor) {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  if (is_dumb_terminal()) return false;
  return is_terminal(descriptor);
}

std::size_t terminal_width() {
  constexpr std::size_t kNarrowest = 20;
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      return std::max<std::size_t>(size.ws_col, kNarrowest);
    }
  }
  std::size_t width = 80;
  if (const char* columns = std::getenv("COLUMNS")) {
    const std::string_view text(columns);
    std::size_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && rest == text.data() + text.size() && number > 0) width = number;
  }
  return std::max(width, kNarrowest);
}

std::size_t table_width() {
  const char* columns = std::getenv("COLUMNS");
  const bool asked = columns != nullptr && *columns != '\0';
  return asked || is_terminal(STDOUT_FILENO) ? terminal_width() : std::numeric_limits<std::size_t>::max();
}

void write_out(std::string_view raw) {
  const auto text = visible(raw);
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written || errno == EPIPE) return;
  throw std::system_error(errno, std::generic_category(), "cannot write to the standard output");
}

void write_error(std::string_view raw) {
  const auto text = visible(raw);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void write_message(std::string_view sentence) { write_error("bilevel: " + visible(shortened(sentence), true) + "\n"); }

}  // namespace bilevel::cli
