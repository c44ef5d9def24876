// A team of persistent threads for passes over the data, and the static split of rows between them.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>

namespace bilevel::kernels {

/// Half-open range of rows.
struct RowRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The share of `part` (0 <= part < parts): contiguous, starting at a multiple of kBlockRows, block counts that differ
/// by at most one; together the shares are 0 .. rows in order. A share may be empty.
RowRange row_share(std::size_t rows, std::size_t parts, std::size_t part);

/// total[i] += sum over parts of parts[k][i], added in the order of k in double: the same bits whichever thread
/// finished first. All parts have total.size() entries.
void add_in_order(std::span<const float* const> parts, std::span<double> total);
void add_in_order(std::span<const double* const> parts, std::span<double> total);

/// `size() - 1` waiting threads and the caller, which is thread 0.
///
/// Idle workers spin for some microseconds (the gap between two passes of one iteration), then sleep. One run at a
/// time: a second caller waits for the first. A run started inside a run of the same team calls its shares one by one
/// on that thread. After fork() the child's first run starts workers of its own.
class ThreadTeam {
 public:
  /// threads >= 1; 0 means one for each processor this process may use. Throws InvalidOption for more than 1024
  /// threads, std::system_error if the system refuses to start one.
  explicit ThreadTeam(std::size_t threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::size_t size() const { return size_; }

  /// Calls task(i) for each i < size(), each on its own thread, and returns when all have returned. If some throw, the
  /// exception of the smallest i is thrown here, after all have ended; the team stays usable.
  void run(const std::function<void(std::size_t)>& task);

 private:
  struct Shared;
  Shared& shared();

  std::size_t size_;
  std::atomic<Shared*> shared_{nullptr};  // null for a team of one
};

}  // namespace bilevel::kernels
