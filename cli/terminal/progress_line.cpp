#include "terminal/progress_line.hpp"

#include <utility>

#include "terminal/stream.hpp"
#include "terminal/text.hpp"
#include "terminal/visible.hpp"

namespace bilevel::cli {

namespace {

constexpr auto kLivingPause = std::chrono::milliseconds(100);
constexpr auto kLinesPause = std::chrono::seconds(5);
constexpr std::string_view kClear = "\r\x1b[K";

}  // namespace

ProgressLine::Mode ProgressLine::mode_for(std::FILE* stream, bool quiet) {
  if (quiet) return Mode::silent;
  return is_terminal(fileno(stream)) && !is_dumb_terminal() ? Mode::living : Mode::lines;
}

ProgressLine::ProgressLine(std::FILE* stream, Mode mode, std::size_t width, Clock clock)
    : stream_(stream), mode_(mode), width_(width), clock_(std::move(clock)), started_(clock_()) {}

ProgressLine::~ProgressLine() {
  if (line_is_open_) write(kClear);
}

void ProgressLine::write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream_);
  std::fflush(stream_);
}

bool ProgressLine::is_due() const {
  switch (mode_) {
    case Mode::silent: return false;
    case Mode::living: return !shown_once_ || clock_() - last_shown_ >= kLivingPause;
    case Mode::lines: return clock_() - (shown_once_ ? last_shown_ : started_) >= kLinesPause;
  }
  return false;
}

void ProgressLine::update(std::string_view text) {
  if (!is_due()) return;
  last_shown_ = clock_();
  shown_once_ = true;
  const auto shown = visible(text, true);
  if (mode_ == Mode::lines) {
    write(shown + "\n");
    return;
  }
  // A sign in the last column would make some screens scroll at each update.
  const auto width = (width_ > 0 ? width_ : terminal_width()) - 1;
  write(std::string(kClear) + cut_to_width(shown, width));
  line_is_open_ = true;
}

void ProgressLine::note(std::string_view text) {
  if (mode_ == Mode::silent) return;
  write((line_is_open_ ? std::string(kClear) : std::string()) + visible(text) + "\n");
  line_is_open_ = false;
  if (mode_ == Mode::living) shown_once_ = false;  // the living line comes back at once
}

void ProgressLine::finish(std::string_view last) {
  if (line_is_open_) write(kClear);
  line_is_open_ = false;
  shown_once_ = false;
  started_ = clock_();
  if (mode_ != Mode::silent && !last.empty()) write(visible(last) + "\n");
}

}  // namespace bilevel::cli
