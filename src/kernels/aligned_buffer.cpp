#include "kernels/aligned_buffer.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <cstring>

#include "kernels/feature_rows.hpp"

namespace bilevel::kernels {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t alignment_of(std::size_t bytes) { return bytes >= 2 * kHugePage ? kHugePage : kAlignment; }

/// `bytes` in whole units of their alignment.
std::size_t rounded_up(std::size_t bytes) {
  const std::size_t alignment = alignment_of(bytes);
  if (bytes > static_cast<std::size_t>(-1) - alignment) throw std::bad_alloc();
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

void* allocate_zeroed(std::size_t bytes) {
  void* memory = allocate(bytes);
  if (memory != nullptr) std::memset(memory, 0, rounded_up(bytes));
  return memory;
}

void* allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::size_t alignment = alignment_of(bytes), rounded = rounded_up(bytes);
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  // Only a wish: where the system has no huge pages the memory works as it is.
  if (alignment == kHugePage) static_cast<void>(madvise(memory, rounded, MADV_HUGEPAGE));
#endif
  return memory;
}

void release(void* memory) noexcept { std::free(memory); }

}  // namespace bilevel::kernels
