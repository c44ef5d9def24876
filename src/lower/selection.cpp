#include "bilevel/selection.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

namespace {

void check_length(std::string_view what, std::string_view where, const Vec& v, Index expected) {
  if (v.size() == expected) return;
  throw DimensionMismatch(
      fmt::format("the selection's {} needs {} of {} entries, but got {}", where, what, expected, v.size()));
}

std::string not_finite(std::string_view what) {
  return fmt::format("the selection was asked at a point where {} is not finite", what);
}

/// A record that holds an answer and no derivative.
class NoDerivative final : public SelectionMap::Point {
 public:
  NoDerivative(const SelectionMap& selection, Selection answer) : Point(selection, std::move(answer)) {}

 private:
  SelectionProduct do_pull_back(const Vec&) const override { return {{}, answer().status, answer().message}; }
  SelectionProduct do_push_forward(const Vec&) const override { return {{}, answer().status, answer().message}; }
};

/// A product that is not finite is no answer.
SelectionProduct checked(SelectionProduct product) {
  if (product.status == Status::converged && !all_finite(product.value)) {
    product.status = Status::nonfinite;
    product.message = "the derivative of the selection is not finite in this direction";
  }
  if (product.status != Status::converged) product.value.resize(0);
  return product;
}

}  // namespace

std::string_view to_string(SelectionDerivative derivative) {
  switch (derivative) {
    case SelectionDerivative::finite_map: return "exact derivative of the finite map";
    case SelectionDerivative::flow_limit: return "U_infinity of the gradient flow";
    case SelectionDerivative::pseudo_inverse: return "-B H+ at the answer";
  }
  return "unknown";
}

SelectionMap::Point::Point(const SelectionMap& selection, Selection answer)
    : dim_x_(selection.lower().dim_x()), dim_y_(selection.lower().dim_y()), answer_(std::move(answer)) {}

SelectionProduct SelectionMap::Point::pull_back(const Vec& v) const {
  check_length("v", "pull_back", v, dim_y_);
  if (!all_finite(v)) return {{}, Status::nonfinite, not_finite("v")};
  return checked(do_pull_back(v));
}

SelectionProduct SelectionMap::Point::push_forward(const Vec& dx) const {
  check_length("dx", "push_forward", dx, dim_x_);
  if (!all_finite(dx)) return {{}, Status::nonfinite, not_finite("dx")};
  return checked(do_push_forward(dx));
}

SelectionMap::SelectionMap(std::shared_ptr<const Objective> lower) : lower_(std::move(lower)) {
  if (!lower_) throw InvalidInput("a selection needs a lower objective, but got none");
  if (!lower_->provides().has(Oracle::grad_y)) {
    throw MissingOracle(fmt::format("a selection needs grad_y of the lower objective, but \"{}\" provides {}",
                                    lower_->name(), to_string(lower_->provides())));
  }
}

void SelectionMap::check_point(const Vec& x, const Vec& y) const {
  check_length("x", "point", x, lower_->dim_x());
  check_length("y", "point", y, lower_->dim_y());
}

Selection SelectionMap::select(const Vec& x, const Vec& y) const {
  check_point(x, y);
  if (!all_finite(x) || !all_finite(y)) {
    return {y, Status::nonfinite, std::nan(""), 0, {}, not_finite(all_finite(x) ? "y" : "x")};
  }
  const auto before = lower_->counts();
  Selection answer = do_select(x, y);
  check_length("y", "answer", answer.y, lower_->dim_y());
  answer.work = lower_->counts() - before;
  return answer;
}

std::unique_ptr<const SelectionMap::Point> SelectionMap::record(const Vec& x, const Vec& y) const {
  check_point(x, y);
  if (!all_finite(x) || !all_finite(y)) return std::make_unique<NoDerivative>(*this, select(x, y));
  const auto before = lower_->counts();
  auto point = do_record(x, y);
  const auto work = lower_->counts() - before;
  if (!all_finite(point->answer().y)) {
    Selection answer = point->answer();
    answer.work = work;
    return std::make_unique<NoDerivative>(*this, std::move(answer));
  }
  point->answer_.work = work;
  return point;
}

SelectionProduct SelectionMap::pull_back(const Vec& x, const Vec& y, const Vec& v) const {
  check_length("v", "pull_back", v, lower_->dim_y());
  return record(x, y)->pull_back(v);
}

SelectionProduct SelectionMap::push_forward(const Vec& x, const Vec& y, const Vec& dx) const {
  check_length("dx", "push_forward", dx, lower_->dim_x());
  return record(x, y)->push_forward(dx);
}

SelectionHypergradient SelectionMap::hypergradient(const Objective& upper, const Vec& x, const Vec& y) const {
  if (upper.dim_x() != lower_->dim_x() || upper.dim_y() != lower_->dim_y()) {
    throw DimensionMismatch(
        fmt::format("the hypergradient of a selection needs an upper objective on R^{} x R^{}, but \"{}\" is on "
                    "R^{} x R^{}",
                    lower_->dim_x(), lower_->dim_y(), upper.name(), upper.dim_x(), upper.dim_y()));
  }
  SelectionHypergradient result;
  const auto point = record(x, y);
  result.answer = point->answer();
  if (!all_finite(x) || !all_finite(result.answer.y)) {
    result.status = Status::nonfinite;
    result.message = result.answer.message;
    return result;
  }
  auto at = upper.evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, result.answer.y);
  result.upper = *at.value;
  if (!std::isfinite(result.upper) || !all_finite(*at.grad_x) || !all_finite(*at.grad_y)) {
    result.status = Status::nonfinite;
    result.message = fmt::format("the upper objective is not finite at the follower's answer (f = {})", result.upper);
    return result;
  }
  auto product = point->pull_back(*at.grad_y);
  result.status = product.status;
  result.message = std::move(product.message);
  if (result.status == Status::converged) result.gradient = *at.grad_x + product.value;
  return result;
}

}  // namespace bilevel
