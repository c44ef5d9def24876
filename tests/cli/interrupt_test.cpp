// Signals. Each case runs in a process of its own, for the second signal ends it.
#include "interrupt.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "command.hpp"

namespace bilevel::cli {
namespace {

TEST(InterruptDeathTest, TheFirstSignalOnlyRaisesTheFlag) {
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          const auto& interrupted = catch_interrupts();
          if (interrupted) std::_Exit(1);
          std::raise(signal);
          std::_Exit(interrupted ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "stopping after this step");
  }
}

TEST(InterruptDeathTest, TheSecondEndsTheProgram) {
  EXPECT_EXIT(
      {
        catch_interrupts();
        std::raise(SIGINT);
        catch_interrupts();
        std::raise(SIGTERM);
        std::_Exit(1);
      },
      ::testing::ExitedWithCode(kInterrupted), "stopping after this step");
}

}  // namespace
}  // namespace bilevel::cli
