// Loops over the numbers of one instruction, compiled for each way in which operands lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "sources/formula_program.hpp"

namespace bilevel {

struct RunOfSlots {
  std::size_t first;
  std::size_t operator()(std::size_t k) const { return first + k; }
};
struct SameSlot {
  std::size_t slot;
  std::size_t operator()(std::size_t) const { return slot; }
};
struct ListedSlots {
  const std::uint32_t* list;
  std::size_t operator()(std::size_t k) const { return list[k]; }
};

/// action(at), where at(k) is the slot of operand k.
template <class Action>
inline void with_slots(const Formula::Program& program, const OperandSlots& slots, Action&& action) {
  switch (slots.kind) {
    case OperandSlots::Kind::run: return action(RunOfSlots{slots.first});
    case OperandSlots::Kind::same: return action(SameSlot{slots.first});
    case OperandSlots::Kind::list: return action(ListedSlots{program.lists.data() + slots.first});
  }
}

/// out[k] = number(k)
template <class Number>
inline void fill(std::size_t count, double* __restrict out, const Number& number) {
  for (std::size_t k = 0; k < count; ++k) out[k] = number(k);
}

/// target[at(k)] += number(k)
template <class At, class Number>
inline void scatter(std::size_t count, double* __restrict target, At at, const Number& number) {
  if constexpr (std::is_same_v<At, SameSlot>) {
    double total = 0;
    for (std::size_t k = 0; k < count; ++k) total += number(k);
    target[at.slot] += total;
  } else {
    for (std::size_t k = 0; k < count; ++k) target[at(k)] += number(k);
  }
}

/// The rows of an Op::affine instruction applied to the slots: out[k] = (constant[k] +) coefficients . slots.
template <bool kWithConstants>
inline void apply_rows(const Formula::Program& program, const Instruction& rows, double* slots) {
  const std::size_t count = rows.count, length = rows.length;
  double* out = slots + rows.out;
  const double* constants = program.coefficients.data() + rows.coefficients;
  const double* coefficients = constants + count;
  if (rows.by_columns) {
    for (std::size_t t = 0; t < length; ++t, coefficients += count) {
      with_slots(program, program.columns[rows.column + t], [&](auto at) {
        if (t > 0) {
          scatter(count, out, RunOfSlots{0}, [=](std::size_t k) { return coefficients[k] * slots[at(k)]; });
        } else if constexpr (kWithConstants) {
          fill(count, out, [=](std::size_t k) { return constants[k] + coefficients[k] * slots[at(k)]; });
        } else {
          fill(count, out, [=](std::size_t k) { return coefficients[k] * slots[at(k)]; });
        }
      });
    }
    return;
  }
  const std::uint32_t* operand = program.lists.data() + rows.list;
  for (std::size_t k = 0; k < count; ++k, coefficients += length, operand += length) {
    // Four partial sums: additions need not wait for each other.
    double s0 = kWithConstants ? constants[k] : 0.0, s1 = 0, s2 = 0, s3 = 0;
    std::size_t t = 0;
    for (; t + 4 <= length; t += 4) {
      s0 += coefficients[t] * slots[operand[t]];
      s1 += coefficients[t + 1] * slots[operand[t + 1]];
      s2 += coefficients[t + 2] * slots[operand[t + 2]];
      s3 += coefficients[t + 3] * slots[operand[t + 3]];
    }
    for (; t < length; ++t) s0 += coefficients[t] * slots[operand[t]];
    out[k] = (s0 + s1) + (s2 + s3);
  }
}

/// The transposed rows: slots of the operands += coefficients * slots[out + k].
inline void apply_transposed_rows(const Formula::Program& program, const Instruction& rows, double* slots) {
  const std::size_t count = rows.count, length = rows.length;
  const double* z = slots + rows.out;
  const double* coefficients = program.coefficients.data() + rows.coefficients + count;
  if (rows.by_columns) {
    for (std::size_t t = 0; t < length; ++t, coefficients += count) {
      with_slots(program, program.columns[rows.column + t],
                 [&](auto at) { scatter(count, slots, at, [=](std::size_t k) { return coefficients[k] * z[k]; }); });
    }
    return;
  }
  const std::uint32_t* operand = program.lists.data() + rows.list;
  for (std::size_t k = 0; k < count; ++k, coefficients += length, operand += length) {
    for (std::size_t t = 0; t < length; ++t) slots[operand[t]] += coefficients[t] * z[k];
  }
}

}  // namespace bilevel
