// The team: every share runs once, exceptions come out, results do not depend on who is first.
#include "kernels/thread_team.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <bilevel/status.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "kernels/dense_rows.hpp"
#include "kernels/kernel_data.hpp"
#include "kernels/softmax_block.hpp"

namespace bilevel::kernels {
namespace {

TEST(RowShare, CoversAllRowsInWholeBlocks) {
  for (const std::size_t rows : {0, 1, 31, 32, 33, 1000, 20000}) {
    for (const std::size_t parts : {1, 2, 3, 7, 40}) {
      std::size_t next = 0;
      for (std::size_t k = 0; k < parts; ++k) {
        const RowRange share = row_share(rows, parts, k);
        EXPECT_EQ(share.begin, next);
        EXPECT_LE(share.begin, share.end);
        EXPECT_TRUE(share.begin == rows || share.begin % kBlockRows == 0);
        next = share.end;
      }
      EXPECT_EQ(next, rows);
    }
  }
  EXPECT_EQ(row_share(5 * kBlockRows, 2, 0).end, 3 * kBlockRows);
}

TEST(ThreadTeam, CallsEachShareOnceAndAgain) {
  for (const std::size_t threads : {1, 2, 3, 8}) {
    ThreadTeam team(threads);
    ASSERT_EQ(team.size(), threads);
    std::vector<int> calls(threads, 0);
    for (int round = 0; round < 500; ++round) {
      team.run([&](std::size_t i) { ++calls[i]; });
    }
    for (const int count : calls) EXPECT_EQ(count, 500);
  }
}

TEST(ThreadTeam, WakesAfterSleep) {
  ThreadTeam team(3);
  std::atomic<int> calls{0};
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // well past the spinning
    team.run([&](std::size_t i) {
      if (i == 2) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ++calls;
    });
  }
  EXPECT_EQ(calls, 9);
}

TEST(ThreadTeam, ThrowsTheFirstShareExceptionAfterAllHaveEnded) {
  ThreadTeam team(4);
  std::atomic<int> ended{0};
  for (int round = 0; round < 20; ++round) {
    ended = 0;
    try {
      team.run([&](std::size_t i) {
        ++ended;
        if (i >= 2) throw std::runtime_error("share " + std::to_string(i));
      });
      FAIL() << "no exception came out";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "share 2");
    }
    EXPECT_EQ(ended, 4);
  }
  team.run([&](std::size_t) { ++ended; });
  EXPECT_EQ(ended, 8);
}

TEST(ThreadTeam, ARunInsideARunDoesNotHang) {
  ThreadTeam team(3);
  std::atomic<int> calls{0};
  team.run([&](std::size_t) { team.run([&](std::size_t) { ++calls; }); });
  EXPECT_EQ(calls, 9);
}

TEST(ThreadTeam, TwoCallersTakeTurns) {
  ThreadTeam team(2);
  std::atomic<int> calls{0};
  const auto caller = [&] {
    for (int round = 0; round < 200; ++round) team.run([&](std::size_t) { ++calls; });
  };
  std::thread other(caller);
  caller();
  other.join();
  EXPECT_EQ(calls, 800);
}

/// The exit code of a child that runs `work`; 99 if it did not end by itself.
template <class Work>
int exit_code_of_child(const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // ends a child that hangs, however busy the machine
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

TEST(ThreadTeam, WorksAfterForkInParentAndChild) {
  ThreadTeam team(3);
  const auto calls_of_a_run = [&] {
    std::atomic<int> calls{0};
    team.run([&](std::size_t) { ++calls; });
    return calls.load();
  };
  ASSERT_EQ(calls_of_a_run(), 3);
  EXPECT_EQ(exit_code_of_child([&] {
              for (int round = 0; round < 5; ++round) {
                if (calls_of_a_run() != 3) return 1;
              }
              // A child of the child, and two callers at once that both find the team of another process.
              return exit_code_of_child([&] {
                std::atomic<int> calls{0};
                const auto caller = [&] { team.run([&](std::size_t) { ++calls; }); };
                std::thread other(caller);
                caller();
                other.join();
                return calls == 6 ? 42 : 2;
              });
            }),
            42);
  EXPECT_EQ(calls_of_a_run(), 3);
}

TEST(ThreadTeam, OfAnotherProcessMayBeDestroyedUnused) {
  EXPECT_EQ(exit_code_of_child([] {
              auto team = std::make_unique<ThreadTeam>(3);
              team->run([](std::size_t) {});
              return exit_code_of_child([&] {
                team.reset();
                return 42;
              });
            }),
            42);
}

TEST(ThreadTeam, WorksInAChildThatWasForkedWhileAnotherThreadRan) {
  ThreadTeam team(3);
  std::atomic<bool> over{false};
  std::thread busy([&] {
    while (!over) team.run([](std::size_t) {});
  });
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(exit_code_of_child([&] {
                std::atomic<int> calls{0};
                team.run([&](std::size_t) { ++calls; });
                return calls.load();
              }),
              3);
  }
  over = true;
  busy.join();
}

TEST(ThreadTeam, RefusesAbsurdSizes) {
  EXPECT_THROW(ThreadTeam(100000), InvalidOption);
  EXPECT_GE(ThreadTeam(0).size(), 1U);
}

TEST(ThreadTeam, GradientHasTheSameBitsEachTime) {
  constexpr std::size_t kRows = 1000, kFeatures = 30, kClasses = 10;
  DenseRows<float> data(kRows, kFeatures);
  const std::vector<double> values = uniform_values(kRows * kFeatures, 1);
  std::vector<std::int32_t> labels(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    labels[i] = static_cast<std::int32_t>(i % kClasses);
    for (std::size_t j = 0; j < kFeatures; ++j) data.row(i)[j] = static_cast<float>(values[i * kFeatures + j]);
  }
  const AlignedBuffer<float> W = uniform_weights(data, kClasses, 2);
  const auto gradient = [&](ThreadTeam& team) {
    std::vector<AlignedBuffer<float>> partial;
    std::vector<const float*> parts;
    for (std::size_t k = 0; k < team.size(); ++k) parts.push_back(partial.emplace_back(W.size()).data());
    team.run([&](std::size_t k) {
      AlignedBuffer<float> Z(kClasses * kBlockRows);
      const RowRange share = row_share(kRows, team.size(), k);
      for (std::size_t begin = share.begin; begin < share.end; begin += kBlockRows) {
        const std::size_t count = std::min(kBlockRows, share.end - begin);
        data.scores(begin, count, W.data(), kClasses, Z.data());
        softmax_block(count, kClasses, labels.data() + begin, Z.data(), nullptr);
        residual_block(count, kClasses, labels.data() + begin, Z.data(), nullptr, Z.data());
        data.accumulate(begin, count, Z.data(), kClasses, partial[k].data());
      }
    });
    std::vector<double> total(W.size(), 0.0);
    add_in_order(parts, total);
    return total;
  };
  ThreadTeam three(3);
  ThreadTeam one(1);
  const std::vector<double> first = gradient(three);
  for (int round = 0; round < 20; ++round) EXPECT_EQ(gradient(three), first);
  const std::vector<double> alone = gradient(one);
  for (std::size_t i = 0; i < first.size(); ++i) {
    // 1000 float additions of residuals times features, each below 1 in size.
    EXPECT_NEAR(first[i], alone[i], 1000 * std::numeric_limits<float>::epsilon() * 100);
  }
}

}  // namespace
}  // namespace bilevel::kernels
