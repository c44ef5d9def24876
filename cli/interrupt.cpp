#include "interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <string_view>

#include "command.hpp"

namespace bilevel::cli {

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch what needs no lock");

extern "C" void on_interrupt(int) {
  if (interrupted.exchange(true)) _exit(kInterrupted);
  constexpr std::string_view kMessage = "\nstopping after this step; once more to stop at once\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
}

}  // namespace

std::atomic<bool>& catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;  // a read in progress goes on: the flag is looked at between steps
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return interrupted;
}

}  // namespace bilevel::cli
