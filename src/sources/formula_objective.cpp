#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bilevel/formula.hpp"
#include "bilevel/status.hpp"
#include "sources/formula_diagnosis.hpp"
#include "sources/formula_error.hpp"
#include "sources/formula_program.hpp"

namespace bilevel {

namespace {

using Program = Formula::Program;

// Memory of the calling thread: calls from several threads do not meet, and a call does not allocate.
double* scratch(std::size_t size) {
  static thread_local std::vector<double> memory;
  if (memory.size() < size) memory.resize(size);
  return memory.data();
}

void set_leaves(const Program& program, const Vec& x, const Vec& y, double* values) {
  std::copy_n(x.data(), program.largest_x, values);
  std::copy_n(y.data(), program.largest_y, values + program.largest_x);
}

// Entries beyond those that the formula uses have derivative 0.
Vec part_of_x(const Program& program, const double* slots, Index dim) {
  Vec part(dim);
  std::copy_n(slots, program.largest_x, part.data());
  part.tail(dim - program.largest_x).setZero();
  return part;
}
Vec part_of_y(const Program& program, const double* slots, Index dim) {
  Vec part(dim);
  std::copy_n(slots + program.largest_x, program.largest_y, part.data());
  part.tail(dim - program.largest_y).setZero();
  return part;
}

// Values, adjoints and derivatives of all slots at a point.
class FormulaLinearization final : public Linearization::Implementation {
 public:
  FormulaLinearization(const Program& program, const Vec& x, const Vec& y)
      : program_(program),
        dim_x_(x.size()),
        dim_y_(y.size()),
        numbers_(std::make_unique_for_overwrite<double[]>(2 * program.slots + program.partials)),
        values_(numbers_.get()),
        adjoint_(values_ + program.slots),
        partials_(adjoint_ + program.slots) {
    set_leaves(program, x, y, values_);
    forward(program, Order::second, values_, partials_);
    if (program.has_choices) silence_what_was_not_chosen(program, values_, partials_);
    reverse(program, values_, partials_, adjoint_);
  }

  double value() const { return values_[program_.root]; }
  Vec grad_x() const { return part_of_x(program_, adjoint_, dim_x_); }
  Vec grad_y() const { return part_of_y(program_, adjoint_, dim_y_); }

  Vec hess_yy(const Vec& v) const override { return part_of_y(program_, along_y(v), dim_y_); }
  Vec hess_xy(const Vec& v) const override { return part_of_x(program_, along_y(v), dim_x_); }
  Vec hess_yx(const Vec& u) const override {
    double* tangent = scratch(2 * program_.slots);
    std::copy_n(u.data(), program_.largest_x, tangent);
    std::fill_n(tangent + program_.largest_x, program_.largest_y, 0.0);
    return part_of_y(program_, sweep(tangent), dim_y_);
  }
  Products both(const Vec& v) const override {
    const double* derivative = along_y(v);
    return {part_of_y(program_, derivative, dim_y_), part_of_x(program_, derivative, dim_x_)};
  }

 private:
  const double* along_y(const Vec& v) const {
    double* tangent = scratch(2 * program_.slots);
    std::fill_n(tangent, program_.largest_x, 0.0);
    std::copy_n(v.data(), program_.largest_y, tangent + program_.largest_x);
    return sweep(tangent);
  }
  const double* sweep(double* tangent) const {
    double* derivative = tangent + program_.slots;
    tangent_forward(program_, values_, partials_, tangent);
    tangent_reverse(program_, values_, partials_, adjoint_, tangent, derivative);
    return derivative;
  }

  const Program& program_;
  Index dim_x_, dim_y_;
  std::unique_ptr<double[]> numbers_;
  double *values_, *adjoint_, *partials_;
};

class FormulaObjective final : public Objective {
 public:
  FormulaObjective(std::string name, Formula formula, Index dim_x, Index dim_y)
      : Objective(std::move(name), dim_x, dim_y), formula_(std::move(formula)) {}

  std::size_t linearization_bytes() const override {
    return sizeof(FormulaLinearization) + sizeof(double) * (2 * program().slots + program().partials);
  }

  std::vector<Kink> kinks(const Vec& x, const Vec& y) const override { return diagnosis(x, y).kinks; }
  std::string explain_nonfinite(const Vec& x, const Vec& y) const override { return diagnosis(x, y).nonfinite; }

 private:
  const Program& program() const { return formula_.program(); }

  FormulaDiagnosis diagnosis(const Vec& x, const Vec& y) const {
    if (x.size() != dim_x() || y.size() != dim_y()) {
      throw DimensionMismatch(
          fmt::format("objective '{}' needs x of length {} and y of length {}, but it got {} and {}", name(), dim_x(),
                      dim_y(), x.size(), y.size()));
    }
    return diagnose(program().text, program().parameters, x, y);
  }

  OracleSet do_provides() const override { return OracleSet::all(); }

  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const override {
    const Program& program = this->program();
    double* values = scratch(2 * program.slots + program.partials);
    double* adjoint = values + program.slots;
    double* partials = adjoint + program.slots;
    const bool with_gradient = want.has(Oracle::grad_x) || want.has(Oracle::grad_y);
    set_leaves(program, x, y, values);
    forward(program, with_gradient ? Order::first : Order::values, values, partials);
    Evaluation result;
    if (want.has(Oracle::value)) result.value = values[program.root];
    if (!with_gradient) return result;
    if (program.has_choices) silence_what_was_not_chosen(program, values, partials);
    reverse(program, values, partials, adjoint);
    if (want.has(Oracle::grad_x)) result.grad_x = part_of_x(program, adjoint, dim_x());
    if (want.has(Oracle::grad_y)) result.grad_y = part_of_y(program, adjoint, dim_y());
    return result;
  }

  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch, OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto here = std::make_unique<FormulaLinearization>(program(), x, y);
    if (also.has(Oracle::value)) evaluation.value = here->value();
    if (also.has(Oracle::grad_x)) evaluation.grad_x = here->grad_x();
    if (also.has(Oracle::grad_y)) evaluation.grad_y = here->grad_y();
    return here;
  }

  Formula formula_;
};

}  // namespace

Formula Formula::parse(std::string_view text, const FormulaParameters& parameters, std::string_view where) {
  try {
    const Syntax syntax = parse_syntax(text, parameters);
    auto program = std::make_shared<Program>(schedule(expand(syntax)));
    program->text = text;
    program->parameters = parameters;
    return Formula(std::move(program));
  } catch (const FormulaMistake& mistake) {
    throw FormulaError(where, text, mistake.offset, mistake.sentence);
  }
}

const std::string& Formula::text() const { return program_->text; }
Index Formula::largest_x() const { return program_->largest_x; }
Index Formula::largest_y() const { return program_->largest_y; }

double Formula::operator()(const Vec& x, const Vec& y) const {
  if (x.size() < largest_x() || y.size() < largest_y()) {
    throw DimensionMismatch(
        fmt::format("the formula '{}' needs at least {} entries of x and {} of y, but it got {} and {}",
                    shortened(text()), largest_x(), largest_y(), x.size(), y.size()));
  }
  double* values = scratch(program_->slots);
  set_leaves(*program_, x, y, values);
  forward(*program_, Order::values, values, nullptr);
  return values[program_->root];
}

std::shared_ptr<const Objective> make_formula_objective(std::string name, const Formula& formula, Index dim_x,
                                                        Index dim_y) {
  if (formula.largest_x() > dim_x || formula.largest_y() > dim_y) {
    const bool of_x = formula.largest_x() > dim_x;
    throw DimensionMismatch(fmt::format(
        "the formula '{}' of objective '{}' uses {}[{}], but {} has {} entries", shortened(formula.text()), name,
        of_x ? 'x' : 'y', of_x ? formula.largest_x() : formula.largest_y(), of_x ? 'x' : 'y', of_x ? dim_x : dim_y));
  }
  return std::make_shared<FormulaObjective>(std::move(name), formula, dim_x, dim_y);
}

}  // namespace bilevel
