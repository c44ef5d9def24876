// Adjoints, tangents, and tangents of adjoints over the instructions.
#include <algorithm>

#include "sources/formula_loops.hpp"

namespace bilevel {

void reverse(const Formula::Program& program, const double* values, const double* partials, double* adjoint) {
  std::fill_n(adjoint, program.slots, 0.0);
  adjoint[program.root] = 1.0;
  for (auto at = program.instructions.rbegin(); at != program.instructions.rend(); ++at) {
    const Instruction& instruction = *at;
    const std::size_t count = instruction.count;
    const double* z = adjoint + instruction.out;
    if (instruction.op == Op::affine) {
      apply_transposed_rows(program, instruction, adjoint);
      continue;
    }
    with_slots(program, instruction.a, [&](auto a) {
      if (instruction.op == Op::square) {
        scatter(count, adjoint, a, [=](std::size_t k) { return 2.0 * z[k] * values[a(k)]; });
      } else if (instruction.op == Op::product) {
        with_slots(program, instruction.b, [&](auto b) {
          scatter(count, adjoint, a, [=](std::size_t k) { return z[k] * values[b(k)]; });
          scatter(count, adjoint, b, [=](std::size_t k) { return z[k] * values[a(k)]; });
        });
      } else {
        const double* p = partials + instruction.partials;
        scatter(count, adjoint, a, [=](std::size_t k) { return z[k] * p[k]; });
        if (!is_binary_function(instruction.op)) return;
        with_slots(program, instruction.b,
                   [&](auto b) { scatter(count, adjoint, b, [=](std::size_t k) { return z[k] * p[count + k]; }); });
      }
    });
  }
}

void tangent_forward(const Formula::Program& program, const double* values, const double* partials, double* tangent) {
  std::fill_n(tangent + program.first_constant(), program.constants.size(), 0.0);
  for (const Instruction& instruction : program.instructions) {
    const std::size_t count = instruction.count;
    double* out = tangent + instruction.out;
    if (instruction.op == Op::affine) {
      apply_rows<false>(program, instruction, tangent);
      continue;
    }
    with_slots(program, instruction.a, [&](auto a) {
      if (instruction.op == Op::square) {
        fill(count, out, [=](std::size_t k) { return 2.0 * values[a(k)] * tangent[a(k)]; });
        return;
      }
      const double* p = partials + instruction.partials;
      if (is_unary_function(instruction.op)) {
        fill(count, out, [=](std::size_t k) { return p[k] * tangent[a(k)]; });
        return;
      }
      with_slots(program, instruction.b, [&](auto b) {
        if (instruction.op == Op::product) {
          fill(count, out, [=](std::size_t k) { return values[b(k)] * tangent[a(k)] + values[a(k)] * tangent[b(k)]; });
        } else {
          fill(count, out, [=](std::size_t k) { return p[k] * tangent[a(k)] + p[count + k] * tangent[b(k)]; });
        }
      });
    });
  }
}

void tangent_reverse(const Formula::Program& program, const double* values, const double* partials,
                     const double* adjoint, const double* tangent, double* tangent_of_adjoint) {
  double* target = tangent_of_adjoint;
  std::fill_n(target, program.slots, 0.0);
  for (auto at = program.instructions.rbegin(); at != program.instructions.rend(); ++at) {
    const Instruction& instruction = *at;
    const std::size_t count = instruction.count;
    const double* z = adjoint + instruction.out;
    const double* w = target + instruction.out;
    const double* t = tangent;
    const double* v = values;
    if (instruction.op == Op::affine) {
      apply_transposed_rows(program, instruction, target);
      continue;
    }
    with_slots(program, instruction.a, [&](auto a) {
      if (instruction.op == Op::square) {
        scatter(count, target, a, [=](std::size_t k) { return 2.0 * (w[k] * v[a(k)] + z[k] * t[a(k)]); });
        return;
      }
      const double* p = partials + instruction.partials;
      if (is_unary_function(instruction.op)) {
        scatter(count, target, a, [=](std::size_t k) { return w[k] * p[k] + z[k] * p[count + k] * t[a(k)]; });
        return;
      }
      with_slots(program, instruction.b, [&](auto b) {
        if (instruction.op == Op::product) {
          scatter(count, target, a, [=](std::size_t k) { return w[k] * v[b(k)] + z[k] * t[b(k)]; });
          scatter(count, target, b, [=](std::size_t k) { return w[k] * v[a(k)] + z[k] * t[a(k)]; });
          return;
        }
        const double *aa = p + 2 * count, *ab = p + 3 * count, *bb = p + 4 * count;
        scatter(count, target, a,
                [=](std::size_t k) { return w[k] * p[k] + z[k] * (aa[k] * t[a(k)] + ab[k] * t[b(k)]); });
        scatter(count, target, b,
                [=](std::size_t k) { return w[k] * p[count + k] + z[k] * (ab[k] * t[a(k)] + bb[k] * t[b(k)]); });
      });
    });
  }
}

}  // namespace bilevel
