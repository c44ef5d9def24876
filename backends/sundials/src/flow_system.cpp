#include "flow_system.hpp"

#include <fmt/format.h>

namespace bilevel::flow {

const Linearization& FlowSystem::at(const Vec& y) {
  ++products_;
  if (!linearization_ || linearized_at_ != y) {
    linearization_.reset();
    linearization_.emplace(lower_.linearize(x_, y));
    linearized_at_ = y;
  }
  return *linearization_;
}

bool FlowSystem::out_of_budget() {
  if (interrupted()) {
    stopped_ = {Status::interrupted, "interrupted"};
  } else if (products_ >= options_.max_products) {
    stopped_ = {Status::budget_reached, fmt::format("all {} products are used up", options_.max_products)};
  }
  return stopped_.has_value();
}

Failure FlowSystem::why(int code) const {
  if (error_) std::rethrow_exception(error_);
  return stopped_ ? *stopped_ : explain(code);
}

}  // namespace bilevel::flow
