#include <utility>

#include <fmt/format.h>

#include "bilevel/selection.hpp"

namespace bilevel {

namespace {

std::shared_ptr<const Objective> lower_of(const std::shared_ptr<const SelectionMap>& selection) {
  if (!selection) throw InvalidInput("a warm-started selection needs a selection to start, but got none");
  return {selection, &selection->lower()};
}

}  // namespace

class WarmStartedSelection::Recorded final : public SelectionMap::Point {
 public:
  Recorded(const WarmStartedSelection& selection, std::unique_ptr<const Point> inner)
      : Point(selection, inner->answer()), inner_(std::move(inner)) {}

 private:
  SelectionProduct do_pull_back(const Vec& v) const override { return inner_->pull_back(v); }
  SelectionProduct do_push_forward(const Vec& dx) const override { return inner_->push_forward(dx); }

  std::unique_ptr<const Point> inner_;
};

WarmStartedSelection::WarmStartedSelection(std::shared_ptr<const StepMap> map, Index steps,
                                           std::shared_ptr<const SelectionMap> selection)
    : SelectionMap(lower_of(selection)), map_(std::move(map)), steps_(steps), selection_(std::move(selection)) {
  if (!map_) throw InvalidInput("a warm-started selection needs a step map, but got none");
  if (steps_ < 0) throw InvalidOption(fmt::format("warm-up steps {} are not allowed: they must be >= 0", steps_));
}

std::string WarmStartedSelection::describe() const {
  return fmt::format("{} steps of {}, then {}", steps_, map_->describe(), selection_->describe());
}

Vec WarmStartedSelection::warm(const Vec& x, const Vec& y) const {
  Vec now = y;
  for (Index step = 0; step < steps_ && all_finite(now); ++step) now = map_->apply(x, now);
  return now;
}

Selection WarmStartedSelection::do_select(const Vec& x, const Vec& y) const {
  return selection_->select(x, warm(x, y));
}

std::unique_ptr<SelectionMap::Point> WarmStartedSelection::do_record(const Vec& x, const Vec& y) const {
  return std::make_unique<Recorded>(*this, selection_->record(x, warm(x, y)));
}

}  // namespace bilevel
