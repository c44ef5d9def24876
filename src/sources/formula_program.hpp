// A formula as a list of instructions, each for many numbers at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/formula.hpp"
#include "sources/formula_expand.hpp"

namespace bilevel {

/// Where an instruction finds the operands of its numbers 0, 1, ..: slots first, first + 1, .., or always `first`, or
/// the slots listed from lists[first] on.
struct OperandSlots {
  enum class Kind : std::uint8_t { run, same, list };
  Kind kind = Kind::run;
  std::size_t first = 0;
};

/// Computes the numbers out .. out + count - 1, which do not depend on each other.
struct Instruction {
  Op op;
  double parameter = 0;
  std::size_t count = 0;
  std::size_t out = 0;
  OperandSlots a = {}, b = {};
  /// Where its derivatives lie: first [and second] of a function of one operand; first_a, first_b [and second_aa,
  /// second_ab, second_bb] of one of two; `count` doubles each.
  std::size_t partials = 0;
  // Rows of Op::affine. Short rows of many numbers go by columns: constants, then for each of `length` columns its
  // coefficients, with operands columns[column ..]. Others row by row: constants, then all rows' coefficients, with
  // operands lists[list ..].
  bool by_columns = false;
  std::size_t length = 0;
  std::size_t coefficients = 0;
  std::size_t column = 0;
  std::size_t list = 0;
};

/// Numbers live in slots: the entries of x, of y, the constants, then what the instructions compute, in their order.
struct Formula::Program {
  std::string text;
  FormulaParameters parameters;  // with the text: what diagnose() reads again
  Index largest_x = 0, largest_y = 0;
  std::vector<double> constants;
  std::vector<Instruction> instructions;
  std::vector<std::uint32_t> lists;
  std::vector<OperandSlots> columns;
  std::vector<double> coefficients;
  std::size_t slots = 0;
  std::size_t partials = 0;  // doubles that derivatives up to the second take
  std::size_t root = 0;      // the slot of the value
  bool has_choices = false;  // min or max

  std::size_t first_constant() const { return static_cast<std::size_t>(largest_x + largest_y); }
};

/// Instructions from the graph: level by level, all nodes of a level that do the same in one instruction.
Formula::Program schedule(const ExpandedFormula& formula);

/// The derivatives an evaluation keeps beside the values.
enum class Order { values, first, second };

/// Fills the slots of constants and computed numbers, given those of x and y. `partials` may be null for Order::values.
void forward(const Formula::Program& program, Order order, double* values, double* partials);

/// Takes derivatives out of what min and max did not choose, so that an infinite slope there does not become NaN.
void silence_what_was_not_chosen(const Formula::Program& program, double* values, double* partials);

/// adjoint[slot] = derivative of the root in the slot.
void reverse(const Formula::Program& program, const double* values, const double* partials, double* adjoint);

/// The derivative of every slot along a direction, given that of x and y; needs Order::first.
void tangent_forward(const Formula::Program& program, const double* values, const double* partials, double* tangent);

/// The derivative of every adjoint along that direction; needs Order::second.
void tangent_reverse(const Formula::Program& program, const double* values, const double* partials,
                     const double* adjoint, const double* tangent, double* tangent_of_adjoint);

}  // namespace bilevel
