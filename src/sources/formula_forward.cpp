#include <algorithm>
#include <cmath>
#include <vector>

#include "sources/formula_loops.hpp"

namespace bilevel {

namespace {

template <int kOrder>
void unary(const Formula::Program& program, const Instruction& instruction, double* values, double* partials) {
  const std::size_t count = instruction.count;
  double* out = values + instruction.out;
  with_slots(program, instruction.a, [&](auto at) {
    with_unary(instruction.op, [&]<Op kOp>() {
      // For values alone there are no partials: nothing may be added to their null pointer.
      double* first = kOrder > 0 ? partials + instruction.partials : nullptr;
      for (std::size_t k = 0; k < count; ++k) {
        const Slopes s = slopes<kOp, kOrder>(values[at(k)], instruction.parameter);
        out[k] = s.value;
        if constexpr (kOrder > 0) first[k] = s.first;
        if constexpr (kOrder > 1) first[count + k] = s.second;
      }
    });
  });
}

template <int kOrder>
void binary(const Formula::Program& program, const Instruction& instruction, double* values, double* partials) {
  const std::size_t count = instruction.count;
  double* out = values + instruction.out;
  with_slots(program, instruction.a, [&](auto at_a) {
    with_slots(program, instruction.b, [&](auto at_b) {
      with_binary(instruction.op, [&]<Op kOp>() {
        double* p = kOrder > 0 ? partials + instruction.partials : nullptr;
        for (std::size_t k = 0; k < count; ++k) {
          const BinarySlopes s = binary_slopes<kOp, kOrder>(values[at_a(k)], values[at_b(k)]);
          out[k] = s.value;
          if constexpr (kOrder > 0) {
            p[k] = s.first_a;
            p[count + k] = s.first_b;
          }
          if constexpr (kOrder > 1) {
            p[2 * count + k] = s.second_aa;
            p[3 * count + k] = s.second_ab;
            p[4 * count + k] = s.second_bb;
          }
        }
      });
    });
  });
}

template <int kOrder>
void run(const Formula::Program& program, double* values, double* partials) {
  std::copy(program.constants.begin(), program.constants.end(), values + program.first_constant());
  for (const Instruction& instruction : program.instructions) {
    double* out = values + instruction.out;
    if (instruction.op == Op::affine) {
      apply_rows<true>(program, instruction, values);
    } else if (instruction.op == Op::square) {
      with_slots(program, instruction.a, [&](auto at) {
        fill(instruction.count, out, [=](std::size_t k) { return values[at(k)] * values[at(k)]; });
      });
    } else if (instruction.op == Op::product) {
      with_slots(program, instruction.a, [&](auto at_a) {
        with_slots(program, instruction.b, [&](auto at_b) {
          fill(instruction.count, out, [=](std::size_t k) { return values[at_a(k)] * values[at_b(k)]; });
        });
      });
    } else if (is_unary_function(instruction.op)) {
      unary<kOrder>(program, instruction, values, partials);
    } else {
      binary<kOrder>(program, instruction, values, partials);
    }
  }
}

}  // namespace

void forward(const Formula::Program& program, Order order, double* values, double* partials) {
  switch (order) {
    case Order::values: return run<0>(program, values, partials);
    case Order::first: return run<1>(program, values, partials);
    case Order::second: return run<2>(program, values, partials);
  }
}

void silence_what_was_not_chosen(const Formula::Program& program, double* values, double* partials) {
  const auto is_finite = [](double number) { return std::isfinite(number); };
  if (std::all_of(values, values + program.slots, is_finite) &&
      std::all_of(partials, partials + program.partials, is_finite)) {
    return;  // a finite slope times the adjoint 0 is 0 anyway
  }
  std::vector<bool> counts(program.slots, false);
  counts[program.root] = true;
  for (auto at = program.instructions.rbegin(); at != program.instructions.rend(); ++at) {
    const Instruction& instruction = *at;
    const std::size_t count = instruction.count;
    const std::size_t kept = is_binary_function(instruction.op) ? 5 : is_unary_function(instruction.op) ? 2 : 0;
    for (std::size_t k = 0; k < count; ++k) {
      double* p = kept > 0 ? partials + instruction.partials + k : nullptr;
      if (!counts[instruction.out + k]) {
        values[instruction.out + k] = 0.0;
        for (std::size_t i = 0; i < kept; ++i) p[i * count] = 0.0;
        continue;
      }
      const auto mark = [&](const OperandSlots& slots) {
        with_slots(program, slots, [&](auto slot) { counts[slot(k)] = true; });
      };
      if (instruction.op == Op::affine) {
        for (std::size_t t = 0; t < instruction.length; ++t) {
          if (instruction.by_columns) {
            mark(program.columns[instruction.column + t]);
          } else {
            counts[program.lists[instruction.list + k * instruction.length + t]] = true;
          }
        }
        continue;
      }
      const bool is_binary = is_binary_function(instruction.op);
      const bool chooses = is_choice(instruction.op);
      if (!chooses || p[0] != 0.0) mark(instruction.a);
      if (instruction.op == Op::product || (is_binary && (!chooses || p[count] != 0.0))) mark(instruction.b);
    }
  }
}

}  // namespace bilevel
