#include "applications/tuning_stack.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

namespace {

using Blocks = std::vector<std::shared_ptr<const Objective>>;

Index common_dim_x(const Blocks& blocks) {
  if (blocks.empty()) throw InvalidInput("stacked objectives need at least one block");
  for (const auto& block : blocks) {
    if (block->dim_x() != blocks.front()->dim_x()) {
      throw DimensionMismatch(fmt::format("stacked objectives share their leader, but one has {} variables, another {}",
                                          blocks.front()->dim_x(), block->dim_x()));
    }
  }
  return blocks.front()->dim_x();
}

Index total_dim_y(const Blocks& blocks) {
  Index total = 0;
  for (const auto& block : blocks) total += block->dim_y();
  return total;
}

/// Calls each(k, offset, length) for the k-th block of y.
template <class Each>
void for_blocks(const Blocks& blocks, const Each& each) {
  Index offset = 0;
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    each(k, offset, blocks[k]->dim_y());
    offset += blocks[k]->dim_y();
  }
}

/// Sums what the blocks answered, from zero.
class Sum {
 public:
  Sum(OracleSet want, Index dim_x, Index dim_y, double weight) : weight_(weight) {
    if (want.has(Oracle::value)) total_.value = 0;
    if (want.has(Oracle::grad_x)) total_.grad_x = Vec::Zero(dim_x);
    if (want.has(Oracle::grad_y)) total_.grad_y = Vec::Zero(dim_y);
  }

  void add(const Evaluation& block, Index offset, Index length) {
    if (total_.value) *total_.value += weight_ * *block.value;
    if (total_.grad_x) *total_.grad_x += weight_ * *block.grad_x;
    if (total_.grad_y) total_.grad_y->segment(offset, length) = weight_ * *block.grad_y;
  }

  Evaluation take() { return std::move(total_); }

 private:
  Evaluation total_;
  double weight_;
};

}  // namespace

class StackedObjective::Products final : public Linearization::Implementation {
 public:
  Products(const StackedObjective& stack, std::vector<Linearization> parts) : stack_(stack), parts_(std::move(parts)) {}

  Vec hess_yy(const Vec& v) const override {
    Vec product(v.size());
    for_blocks(stack_.blocks_, [&](std::size_t k, Index offset, Index length) {
      product.segment(offset, length) = stack_.weight_ * parts_[k].hess_yy(v.segment(offset, length));
    });
    return product;
  }

  Vec hess_xy(const Vec& v) const override {
    Vec product = Vec::Zero(stack_.dim_x());
    for_blocks(stack_.blocks_, [&](std::size_t k, Index offset, Index length) {
      product += stack_.weight_ * parts_[k].hess_xy(v.segment(offset, length));
    });
    return product;
  }

  Vec hess_yx(const Vec& u) const override {
    Vec product(stack_.dim_y());
    for_blocks(stack_.blocks_, [&](std::size_t k, Index offset, Index length) {
      product.segment(offset, length) = stack_.weight_ * parts_[k].hess_yx(u);
    });
    return product;
  }

  bilevel::Products both(const Vec& v) const override {
    bilevel::Products products{Vec(v.size()), Vec::Zero(stack_.dim_x())};
    for_blocks(stack_.blocks_, [&](std::size_t k, Index offset, Index length) {
      const auto block = parts_[k].both(v.segment(offset, length));
      products.hess_yy.segment(offset, length) = stack_.weight_ * block.hess_yy;
      products.hess_xy += stack_.weight_ * block.hess_xy;
    });
    return products;
  }

 private:
  const StackedObjective& stack_;
  std::vector<Linearization> parts_;
};

StackedObjective::StackedObjective(std::string name, std::vector<std::shared_ptr<const Objective>> blocks,
                                   double weight)
    : Objective(std::move(name), common_dim_x(blocks), total_dim_y(blocks)),
      blocks_(std::move(blocks)),
      weight_(weight) {}

double StackedObjective::rounding() const {
  double worst = Objective::rounding();
  for (const auto& block : blocks_) worst = std::max(worst, block->rounding());
  return worst;
}

std::size_t StackedObjective::linearization_bytes() const {
  std::size_t bytes = 0;
  for (const auto& block : blocks_) bytes += block->linearization_bytes();
  return bytes;
}

OracleSet StackedObjective::do_provides() const {
  OracleSet common = OracleSet::all();
  for (const auto& block : blocks_) common = common.without(OracleSet::all().without(block->provides()));
  return common;
}

Evaluation StackedObjective::do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const {
  Sum sum(want, dim_x(), dim_y(), weight_);
  for_blocks(blocks_, [&](std::size_t k, Index offset, Index length) {
    sum.add(blocks_[k]->evaluate(want, x, y.segment(offset, length)), offset, length);
  });
  return sum.take();
}

std::unique_ptr<const Linearization::Implementation> StackedObjective::do_linearize(const Vec& x, const Vec& y, Batch,
                                                                                    OracleSet also,
                                                                                    Evaluation& evaluation) const {
  Sum sum(also, dim_x(), dim_y(), weight_);
  std::vector<Linearization> parts;
  for_blocks(blocks_, [&](std::size_t k, Index offset, Index length) {
    parts.push_back(blocks_[k]->linearize(x, y.segment(offset, length), full, also));
    sum.add(parts.back().evaluation(), offset, length);
  });
  evaluation = sum.take();
  return std::make_unique<Products>(*this, std::move(parts));
}

}  // namespace bilevel
