#include "bilevel/autodiff/taped_objective.hpp"

#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bilevel/autodiff/reductions.hpp"
#include "bilevel/status.hpp"
#include "core/autodiff/arena.hpp"
#include "core/autodiff/tape_linearization.hpp"

namespace bilevel::autodiff {

void throw_index_error(const Origin& origin, Index index, Index size) {
  throw DimensionMismatch(fmt::format("objective '{0}' reads {1}[{2}], but {1} has {3} entries there, counted from 0",
                                      *origin.objective, origin.variable, index, size));
}
void throw_segment_error(const Origin& origin, Index first, Index count, Index size) {
  throw DimensionMismatch(fmt::format("objective '{0}' takes {1} entries of {2} from {3} on, but {2} has {4} entries",
                                      *origin.objective, count, origin.variable, first, size));
}
void throw_length_error(const char* operation, Index left, Index right) {
  throw DimensionMismatch(
      fmt::format("{} needs two vectors of one length, but got lengths {} and {}", operation, left, right));
}
void throw_stride_error(Index stride) {
  throw InvalidInput(fmt::format(
      "dot needs contiguous numbers, but got a vector of stride {}: store the matrix by rows, or copy the row",
      stride));
}

namespace {

template <typename Visit>
void for_each_sample(Batch batch, std::size_t samples, Visit&& visit) {
  if (batch.is_full()) {
    for (std::size_t i = 0; i < samples; ++i) visit(i);
  } else {
    for (const auto i : batch.indices()) visit(std::size_t{i});
  }
}

}  // namespace

TapedObjective::TapedObjective(std::string objective_name, Index dim_x, Index dim_y, std::size_t samples)
    : Objective(std::move(objective_name), dim_x, dim_y, samples), origin_x_{&name(), 'x'}, origin_y_{&name(), 'y'} {}

double TapedObjective::average_value(const Vec& x, const Vec& y, Batch batch) const {
  const View<Jet<0>> view_x(x.data(), x.size(), kNoParent, &origin_x_);
  const View<Jet<0>> view_y(y.data(), y.size(), kNoParent, &origin_y_);
  double total = 0;
  for_each_sample(batch, samples(), [&](std::size_t i) { total += phi(view_x, view_y, i).value(); });
  return total / static_cast<double>(batch.size(samples()));
}

Evaluation TapedObjective::do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const {
  Evaluation result;
  const bool wants_x = want.has(Oracle::grad_x) && dim_x() > 0, wants_y = want.has(Oracle::grad_y);
  if (!want.has(Oracle::grad_x) && !wants_y) {
    result.value = average_value(x, y, batch);
    return result;
  }
  const double count = static_cast<double>(batch.size(samples()));
  Recording<1> recording(name(), x.size() + y.size());
  Arena<1>& tape = recording.tape();
  // What is not asked for is constant, so less lands on the tape.
  const View<Jet<1>> view_x(x.data(), x.size(), wants_x ? 0 : kNoParent, &origin_x_);
  const View<Jet<1>> view_y(y.data(), y.size(), wants_y ? static_cast<std::int32_t>(x.size()) : kNoParent, &origin_y_);
  double total = 0;
  for_each_sample(batch, samples(), [&](std::size_t i) {
    tape.restart();
    const Jet<1> root = phi(view_x, view_y, i);
    total += root.value();
    if (!root.is_constant()) sweep_back(tape, root.derivatives().parent, root.derivatives().first / count);
  });
  if (want.has(Oracle::value)) result.value = total / count;
  const double* adjoint = tape.prepare_adjoint();
  if (want.has(Oracle::grad_x)) result.grad_x = Eigen::Map<const Vec>(adjoint, x.size());
  if (want.has(Oracle::grad_y)) result.grad_y = Eigen::Map<const Vec>(adjoint + x.size(), y.size());
  return result;
}

std::unique_ptr<const Linearization::Implementation> TapedObjective::do_linearize(const Vec& x, const Vec& y,
                                                                                  Batch batch, OracleSet also,
                                                                                  Evaluation& evaluation) const {
  auto result = std::make_unique<TapeLinearization>(x, y);
  const double count = static_cast<double>(batch.size(samples()));
  Recording<2> recording(name(), x.size() + y.size());
  const View<Jet<2>> view_x(result->x(), x.size(), x.size() > 0 ? 0 : kNoParent, &origin_x_);
  const View<Jet<2>> view_y(result->y(), y.size(), static_cast<std::int32_t>(x.size()), &origin_y_);
  double total = 0;
  const double* gradient = nullptr;
  if (samples() == 1 && batch.is_full()) {
    const Jet<2> root = phi(view_x, view_y, 0);
    total = root.value();
    gradient = result->take(recording.tape(), std::span(&root, root.is_constant() ? 0u : 1u), 1.0);
  } else {
    std::vector<Jet<2>> roots;
    for_each_sample(batch, samples(), [&](std::size_t i) {
      const Jet<2> root = phi(view_x, view_y, i);
      total += root.value();
      if (!root.is_constant()) roots.push_back(root);
    });
    gradient = result->take(recording.tape(), roots, 1.0 / count);
  }
  if (also.has(Oracle::value)) evaluation.value = total / count;
  if (also.has(Oracle::grad_x)) evaluation.grad_x = Eigen::Map<const Vec>(gradient, x.size());
  if (also.has(Oracle::grad_y)) evaluation.grad_y = Eigen::Map<const Vec>(gradient + x.size(), y.size());
  return result;
}

std::size_t TapedObjective::linearization_bytes() const {
  if (const auto known = bytes_.load(std::memory_order_relaxed); known > 0) return known;
  const Vec x = Vec::Ones(dim_x()), y = Vec::Ones(dim_y());
  constexpr std::uint32_t first[] = {0};
  Evaluation nothing;
  const auto sample = do_linearize(x, y, Batch(first), {}, nothing);
  const auto& tape = static_cast<const TapeLinearization&>(*sample);
  const std::size_t bytes = Objective::linearization_bytes() + samples() * tape.tape_bytes();
  bytes_.store(bytes, std::memory_order_relaxed);
  return bytes;
}

}  // namespace bilevel::autodiff
