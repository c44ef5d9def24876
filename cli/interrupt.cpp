#include "interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <string_view>

#include "command.hpp"

namespace bilevel::cli {

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch what needs no lock");

extern "C" void on_interrupt(int signal) {
  // A terminal that closes may say so twice, once through its shell: that is no impatience.
  if (interrupted.exchange(true)) {
    if (signal == SIGHUP) return;
    _exit(kInterrupted);
  }
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
  struct sigaction before {};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // ignored: the run is to outlive its terminal
  return interrupted;
}

}  // namespace bilevel::cli
