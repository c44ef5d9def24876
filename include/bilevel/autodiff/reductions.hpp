// Sums over many values as one node each: sum, dot, squared_norm, log_sum_exp.
//
// Over views and contiguous doubles they run at the speed of plain vector code, forward and in reverse.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <ranges>
#include <type_traits>
#include <vector>

#include "bilevel/autodiff/functions.hpp"
#include "bilevel/autodiff/view.hpp"

namespace bilevel::autodiff {

[[noreturn]] void throw_stride_error(Index stride);

/// Contiguous doubles: a std::vector, std::span or std::array of double, an Eigen vector, or a row of a row-major
/// matrix. dot copies them onto the tape, so they may be temporary; fixed(...) spares the copy.
class Constants {
 public:
  template <typename Range>
  requires requires(const Range& range) {
    { range.data() } -> std::convertible_to<const double*>;
    { range.size() } -> std::convertible_to<Index>;
  }
  Constants(const Range& range) : data_(range.data()), size_(static_cast<Index>(range.size())) {
    if constexpr (requires { range.innerStride(); }) {
      if (size_ > 1 && range.innerStride() != 1) throw_stride_error(range.innerStride());
    }
  }
  Constants(const double* data, Index size) : data_(data), size_(size) {}

  const double* data() const { return data_; }
  Index size() const { return size_; }
  double operator[](Index index) const { return data_[index]; }
  bool is_fixed() const { return fixed_; }
  Constants as_fixed() const {
    Constants result = *this;
    result.fixed_ = true;
    return result;
  }

 private:
  const double* data_;
  Index size_;
  bool fixed_ = false;
};

/// Data that outlives every linearization of the objective and does not change meanwhile, such as data captured by the
/// lambda: dot(fixed(row), y) keeps a pointer to it instead of a copy. A temporary vector is refused at compile time.
template <typename Range>
Constants fixed(Range&& range) {
  using Plain = std::remove_cvref_t<Range>;
  constexpr bool owns = requires(Plain & r) { r.conservativeResize(1); }
  || (!requires(const Plain& r) { r.innerStride(); } && !std::ranges::borrowed_range<Plain>);
  static_assert(std::is_lvalue_reference_v<Range> || !owns, "fixed() needs data that outlives the call");
  return Constants(range).as_fixed();
}
inline Constants fixed(const double* data, Index size) { return Constants(data, size).as_fixed(); }

/// Computed values: a std::vector<Jet>, std::array<Jet, k> or std::span<Jet>.
template <typename Range>
using ScalarOf = std::remove_cvref_t<decltype(std::declval<const Range&>()[0])>;
template <typename>
inline constexpr bool is_jet = false;
template <int Order>
inline constexpr bool is_jet<Jet<Order>> = true;
template <typename>
inline constexpr bool is_view = false;
template <typename Scalar>
inline constexpr bool is_view<View<Scalar>> = true;
template <typename Range>
concept JetRange = requires(const Range& range) {
  range[0];
  range.size();
}
&&is_jet<ScalarOf<Range>>;
template <typename Range>
concept ComputedRange = JetRange<Range> && !is_view<Range>;

/// sum_i terms(i), i < count, as one node.
template <int Order, typename Terms>
Jet<Order> gather_sum(Index count, Terms&& terms) {
  if constexpr (Order == 0) {
    double total = 0;
    for (Index i = 0; i < count; ++i) total += terms(i).value();
    return total;
  } else {
    double total = 0;
    Entry* entries = gather_room<Order>(count);
    Index used = 0;
    for (Index i = 0; i < count; ++i) {
      const Jet<Order> term = terms(i);
      total += term.value();
      if (term.is_constant()) continue;
      const auto& d = term.derivatives();
      if constexpr (Order == 1) entries[used++] = {d.first, 0.0, d.parent};
      if constexpr (Order == 2) entries[used++] = {d.first, d.second, d.parent};
    }
    if (used == 0) return total;
    return Jet<Order>::leaf(total, push_gather<Order>(used, 0.0));
  }
}

template <int Order>
Jet<Order> sum(const View<Jet<Order>>& a) {
  const double value = contiguous_sum(a.values(), a.size());
  if constexpr (Order > 0) {
    if (!a.is_constant() && a.size() > 0) {
      return Jet<Order>::leaf(value, push_linear<Order>(nullptr, false, a.leaf(), a.size()));
    }
  }
  return value;
}
template <ComputedRange Range>
auto sum(const Range& a) -> ScalarOf<Range> {
  return [&]<int Order>(Jet<Order>) {
    return gather_sum<Order>(static_cast<Index>(a.size()), [&](Index i) { return a[static_cast<std::size_t>(i)]; });
  }(ScalarOf<Range>());
}

/// Inner product with constants; both need the same length, else DimensionMismatch.
template <int Order>
Jet<Order> dot(const View<Jet<Order>>& a, const std::type_identity_t<Constants>& b) {
  if (a.size() != b.size()) throw_length_error("dot", a.size(), b.size());
  const double value = contiguous_dot(a.values(), b.data(), a.size());
  if constexpr (Order > 0) {
    if (!a.is_constant() && a.size() > 0) {
      return Jet<Order>::leaf(value, push_linear<Order>(b.data(), !b.is_fixed(), a.leaf(), a.size()));
    }
  }
  return value;
}
template <int Order>
Jet<Order> dot(const std::type_identity_t<Constants>& a, const View<Jet<Order>>& b) {
  return dot(b, a);
}

template <int Order>
Jet<Order> dot(const View<Jet<Order>>& a, const View<Jet<Order>>& b) {
  if (a.size() != b.size()) throw_length_error("dot", a.size(), b.size());
  if (b.is_constant()) return dot(a, fixed(b.values(), b.size()));
  if (a.is_constant()) return dot(b, fixed(a.values(), a.size()));
  const double value = contiguous_dot(a.values(), b.values(), a.size());
  if constexpr (Order > 0) {
    if (a.size() > 0) {
      return Jet<Order>::leaf(value, push_product<Order>(a.leaf(), a.values(), b.leaf(), b.values(), a.size()));
    }
  }
  return value;
}

/// Inner product where at least one side is computed.
template <JetRange A, JetRange B>
requires(ComputedRange<A> || ComputedRange<B>) auto dot(const A& a, const B& b) -> ScalarOf<A> {
  const auto size = static_cast<Index>(a.size());
  if (size != static_cast<Index>(b.size())) throw_length_error("dot", size, static_cast<Index>(b.size()));
  return [&]<int Order>(Jet<Order>) {
    return gather_sum<Order>(size,
                             [&](Index i) { return a[static_cast<std::size_t>(i)] * b[static_cast<std::size_t>(i)]; });
  }(ScalarOf<A>());
}
template <ComputedRange A>
auto dot(const A& a, const std::type_identity_t<Constants>& b) -> ScalarOf<A> {
  const auto size = static_cast<Index>(a.size());
  if (size != b.size()) throw_length_error("dot", size, b.size());
  return [&]<int Order>(Jet<Order>) {
    return gather_sum<Order>(size, [&](Index i) { return a[static_cast<std::size_t>(i)] * b[i]; });
  }(ScalarOf<A>());
}
template <ComputedRange B>
auto dot(const std::type_identity_t<Constants>& a, const B& b) -> ScalarOf<B> {
  return dot(b, a);
}

/// sum_i a_i^2
template <JetRange Range>
auto squared_norm(const Range& a) -> ScalarOf<Range> {
  return dot(a, a);
}

/// log sum_i exp(a_i), without overflow; -infinity if a is empty. Infinite entries give NaN derivatives.
template <JetRange Range>
auto log_sum_exp(const Range& a) -> ScalarOf<Range> {
  return [&]<int Order>(Jet<Order>) -> Jet<Order> {
    using Position = decltype(a.size());
    const auto size = static_cast<Index>(a.size());
    const auto at = [&](Index i) -> Jet<Order> { return a[static_cast<Position>(i)]; };
    double largest = -std::numeric_limits<double>::infinity();
    for (Index i = 0; i < size; ++i) {
      const double value = at(i).value();
      if (value > largest || std::isnan(value)) largest = value;
    }
    double total = 0;
    if constexpr (Order == 0) {
      for (Index i = 0; i < size; ++i) total += std::exp(at(i).value() - largest);
      return std::isfinite(largest) ? largest + std::log(total) : largest;
    } else {
      Entry* entries = gather_room<Order>(size);
      Index used = 0;
      for (Index i = 0; i < size; ++i) {
        const Jet<Order> term = at(i);
        const double weight = std::exp(term.value() - largest);
        total += weight;
        if (term.is_constant()) continue;
        const auto& d = term.derivatives();
        Entry& entry = entries[used++];
        entry = {weight * d.first, 0.0, d.parent};
        if constexpr (Order == 2) entry.curvature = weight * (d.first * d.first + d.second);
      }
      const double value = std::isfinite(largest) ? largest + std::log(total) : largest;
      if (used == 0) return value;
      for (Index k = 0; k < used; ++k) {
        entries[k].weight /= total;
        entries[k].curvature /= total;
      }
      return Jet<Order>::leaf(value, push_gather<Order>(used, 1.0));
    }
  }(ScalarOf<Range>());
}

template <int Order>
Jet<Order> View<Jet<Order>>::sum() const {
  return autodiff::sum(*this);
}
template <int Order>
Jet<Order> View<Jet<Order>>::squared_norm() const {
  return autodiff::squared_norm(*this);
}
template <int Order>
template <typename Other>
Jet<Order> View<Jet<Order>>::dot(const Other& other) const {
  return autodiff::dot(*this, other);
}

}  // namespace bilevel::autodiff
