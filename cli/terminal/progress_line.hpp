// One living line that says what the program does:
//
//   ProgressLine progress(stderr, ProgressLine::mode_for(stderr, quiet));
//   progress.update("step 3 of 100, trusted loss 0.41, about 12 s left");
//   progress.finish("100 steps in 14.2 s");
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

namespace bilevel::cli {

/// Not for several threads at once. The stream must outlive it.
class ProgressLine {
 public:
  enum class Mode {
    living,  // on a screen: one line, written over at most 10 times a second and cut to the screen's width
    lines,   // into a file or pipe: a line at most every 5 seconds
    silent,
  };
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  /// living if the stream is a screen that can clear a line (TERM is not "dumb"), else lines; silent if quiet.
  static Mode mode_for(std::FILE* stream, bool quiet);

  /// `width` 0 means the screen's own width, asked for at each update. `clock` is for tests.
  ProgressLine(std::FILE* stream, Mode mode, std::size_t width = 0, Clock clock = std::chrono::steady_clock::now);
  /// Clears the living line, so that an error message starts on a clean one.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// True when an update would be shown now: lets the caller skip composing texts that nobody sees.
  bool is_due() const;
  /// Shows the text unless the last one is too young.
  void update(std::string_view text);
  /// A line that stays, above the living one (nothing when silent).
  void note(std::string_view text);
  /// Clears the living line; `last` (if not empty) stays in its place. update() may be called again.
  void finish(std::string_view last = "");

 private:
  void write(std::string_view text);

  std::FILE* stream_;
  Mode mode_;
  std::size_t width_;
  Clock clock_;
  bool line_is_open_ = false;
  bool shown_once_ = false;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point last_shown_;
};

}  // namespace bilevel::cli
