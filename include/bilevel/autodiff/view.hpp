// View: what a lambda sees as x and y.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>

#include "bilevel/autodiff/jet.hpp"

namespace bilevel::autodiff {

/// Where a view comes from, for error messages.
struct Origin {
  const std::string* objective;
  char variable;  // 'x' or 'y'
};

[[noreturn]] void throw_index_error(const Origin& origin, Index index, Index size);
[[noreturn]] void throw_segment_error(const Origin& origin, Index first, Index count, Index size);
[[noreturn]] void throw_length_error(const char* operation, Index left, Index right);

template <typename Scalar>
class View;

/// A read-only vector of Jets: x or y, or a segment of it. Cheap to copy; lives as long as the call of the lambda.
template <int Order>
class View<Jet<Order>> {
 public:
  using Scalar = Jet<Order>;

  /// `leaf` is the tape's index of the first entry, or kNoParent if no derivative in it is wanted.
  View(const double* values, Index size, std::int32_t leaf, const Origin* origin)
      : values_(values), size_(size), origin_(origin), leaf_(leaf) {}

  Index size() const { return size_; }

  /// Entry `index`, 0-based; throws DimensionMismatch if it is out of range.
  Scalar operator[](Index index) const {
    if (static_cast<std::size_t>(index) >= static_cast<std::size_t>(size_)) [[unlikely]] {
      throw_index_error(*origin_, index, size_);
    }
    return Scalar::leaf(values_[index], is_constant() ? kNoParent : leaf_ + static_cast<std::int32_t>(index));
  }

  /// Entries first .. first + count - 1; throws DimensionMismatch if they are not all there.
  View segment(Index first, Index count) const {
    if (first < 0 || count < 0 || first > size_ || count > size_ - first) {
      throw_segment_error(*origin_, first, count, size_);
    }
    return View(values_ + first, count, is_constant() ? kNoParent : leaf_ + static_cast<std::int32_t>(first), origin_);
  }
  View head(Index count) const { return segment(0, count); }
  View tail(Index count) const { return segment(size_ - count, count); }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Scalar;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Scalar;

    Iterator() = default;
    Iterator(const double* place, std::int32_t leaf) : place_(place), leaf_(leaf) {}
    Scalar operator*() const { return Scalar::leaf(*place_, leaf_); }
    Iterator& operator++() {
      ++place_;
      if (leaf_ >= 0) ++leaf_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return place_ == other.place_; }

   private:
    const double* place_ = nullptr;
    std::int32_t leaf_ = kNoParent;
  };
  Iterator begin() const { return {values_, leaf_}; }
  Iterator end() const { return {values_ + size_, leaf_}; }

  const double* values() const { return values_; }
  std::int32_t leaf() const { return leaf_; }
  bool is_constant() const { return leaf_ < 0; }

  // The reductions of reductions.hpp as members.
  Scalar sum() const;
  Scalar squared_norm() const;
  template <typename Other>
  Scalar dot(const Other& other) const;

 private:
  const double* values_;
  Index size_;
  const Origin* origin_;
  std::int32_t leaf_;
};

}  // namespace bilevel::autodiff
