#include "kernels/thread_team.hpp"

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <bilevel/status.hpp>
#include <chrono>

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kernels/feature_rows.hpp"

namespace bilevel::kernels {
namespace {

constexpr std::size_t kMaxThreads = 1024;
/// Longer than the serial work between two passes of an iteration, shorter than anyone notices.
constexpr std::chrono::microseconds kSpin{100};

/// The team whose run the current thread works for, if any.
thread_local const void* current_team = nullptr;

/// True as soon as `done()`, false after kSpin. Yields, so that on a crowded machine the awaited thread gets the core.
template <class Done>
bool spin_until(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (done()) return true;
    }
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < deadline);
  return done();
}

template <class Real>
void add_parts(std::span<const Real* const> parts, std::span<double> total) {
  for (const Real* part : parts) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += static_cast<double>(part[i]);
  }
}

}  // namespace

RowRange row_share(std::size_t rows, std::size_t parts, std::size_t part) {
  const std::size_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const auto start = [&](std::size_t k) {
    return std::min(rows, (blocks / parts * k + std::min(k, blocks % parts)) * kBlockRows);
  };
  return {start(part), start(part + 1)};
}

void add_in_order(std::span<const float* const> parts, std::span<double> total) { add_parts(parts, total); }
void add_in_order(std::span<const double* const> parts, std::span<double> total) { add_parts(parts, total); }

struct ThreadTeam::Shared {
  std::mutex one_run;  // held by the caller for the whole of a run

  std::mutex mutex;  // guards the sleeping and waking; `round` and `working` change under it or are polled before it
  std::condition_variable wake;
  std::condition_variable finished;
  std::atomic<std::size_t> round{0};
  std::atomic<std::size_t> working{0};
  std::atomic<bool> stop{false};

  const std::function<void(std::size_t)>* task = nullptr;
  std::vector<std::exception_ptr> errors;
  std::vector<std::thread> workers;
  const pid_t process = getpid();

  explicit Shared(std::size_t size) : errors(size) {
    workers.reserve(size - 1);
    try {
      for (std::size_t i = 1; i < size; ++i) workers.emplace_back([this, i] { work(i); });
    } catch (...) {
      dismiss();
      throw;
    }
  }

  void call(std::size_t index) {
    const void* const outer = current_team;
    current_team = this;
    try {
      (*task)(index);
    } catch (...) {
      errors[index] = std::current_exception();
    }
    current_team = outer;
  }

  void work(std::size_t index) {
    for (std::size_t seen = 0;; ++seen) {
      const auto called = [&] { return round.load(std::memory_order_acquire) != seen || stop.load(); };
      if (!spin_until(called)) {
        std::unique_lock lock(mutex);
        wake.wait(lock, called);
      }
      if (stop) return;
      call(index);
      if (working.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard lock(mutex);
        finished.notify_one();
      }
    }
  }

  void dismiss() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    for (std::thread& worker : workers) worker.join();
  }
};

ThreadTeam::ThreadTeam(std::size_t threads)
    : size_(threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency())) {
  if (size_ > kMaxThreads) {
    throw InvalidOption("threads = " + std::to_string(size_) + " is out of range: 1 to " + std::to_string(kMaxThreads) +
                        " are allowed, and 0 for one per processor");
  }
  if (size_ > 1) shared_ = new Shared(size_);
}

ThreadTeam::~ThreadTeam() {
  Shared* const shared = shared_;
  if (shared == nullptr || shared->process != getpid()) return;
  shared->dismiss();
  delete shared;
}

ThreadTeam::Shared& ThreadTeam::shared() {
  Shared* current = shared_.load(std::memory_order_acquire);
  while (current->process != getpid()) {
    // A fork copies the caller alone: the workers are gone and the locks as they happened to be. What is left of them
    // can be neither joined nor destroyed, so it is given up.
    auto fresh = std::make_unique<Shared>(size_);
    if (shared_.compare_exchange_strong(current, fresh.get())) return *fresh.release();
    fresh->dismiss();
  }
  return *current;
}

void ThreadTeam::run(const std::function<void(std::size_t)>& task) {
  if (size_ == 1) {
    task(0);
    return;
  }
  Shared& s = shared();
  if (current_team == &s) {
    for (std::size_t i = 0; i < size_; ++i) task(i);
    return;
  }
  const std::lock_guard running(s.one_run);
  std::fill(s.errors.begin(), s.errors.end(), nullptr);
  s.task = &task;
  s.working.store(size_ - 1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(s.mutex);
    s.round.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
  s.call(0);
  const auto all_done = [&] { return s.working.load(std::memory_order_acquire) == 0; };
  if (!spin_until(all_done)) {
    std::unique_lock lock(s.mutex);
    s.finished.wait(lock, all_done);
  }
  for (const std::exception_ptr& error : s.errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace bilevel::kernels
