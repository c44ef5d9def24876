#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bilevel/selection.hpp"

namespace bilevel {

class UnrolledSelection::Recorded final : public SelectionMap::Point {
 public:
  Recorded(const UnrolledSelection& selection, Selection answer,
           std::vector<std::unique_ptr<const StepMap::Point>> path)
      : Point(selection, std::move(answer)),
        dim_x_(selection.lower().dim_x()),
        dim_y_(selection.lower().dim_y()),
        path_(std::move(path)) {}

 private:
  SelectionProduct do_pull_back(const Vec& v) const override {
    Vec u = Vec::Zero(dim_x_), w = v;
    for (auto point = path_.rbegin(); point != path_.rend(); ++point) {
      auto pulled = (*point)->pull_back(w);
      u += pulled.to_x;
      w = std::move(pulled.to_y);
    }
    return {std::move(u), Status::converged, answer().message};
  }

  SelectionProduct do_push_forward(const Vec& dx) const override {
    Vec dy = Vec::Zero(dim_y_);
    for (const auto& point : path_) dy = point->push_forward(dx, dy);
    return {std::move(dy), Status::converged, answer().message};
  }

  Index dim_x_, dim_y_;
  std::vector<std::unique_ptr<const StepMap::Point>> path_;
};

UnrolledSelection::UnrolledSelection(std::shared_ptr<const Objective> lower, std::shared_ptr<const StepMap> map,
                                     Options options)
    : SelectionMap(std::move(lower)), map_(std::move(map)), options_(options) {
  if (!map_) throw InvalidInput("an unrolled selection needs a step map, but got none");
  if (options_.steps < 1) {
    throw InvalidOption(fmt::format("steps {} is not allowed: it must be >= 1", options_.steps));
  }
  if (!(options_.tolerance >= 0) || !std::isfinite(options_.tolerance)) {
    throw InvalidOption(fmt::format("tolerance {} is not allowed: it must be a number >= 0", options_.tolerance));
  }
}

std::string UnrolledSelection::describe() const {
  return fmt::format("{} steps of {}", options_.steps, map_->describe());
}

Selection UnrolledSelection::finish(const Vec& x, Vec y, double first_residual, Index steps) const {
  Selection answer;
  answer.y = std::move(y);
  answer.iterations = steps;
  if (!all_finite(answer.y)) {
    answer.status = Status::nonfinite;
    answer.residual = std::nan("");
    answer.message = fmt::format("the follower's iterate became non-finite at step {} of {}", steps, map_->describe());
    return answer;
  }
  answer.residual = norm(lower().grad_y(x, answer.y));
  const double target = options_.tolerance * std::max(1.0, first_residual);
  answer.status = std::isnan(answer.residual) ? Status::nonfinite
                  : answer.residual <= target ? Status::converged
                                              : Status::budget_reached;
  answer.message = fmt::format("{} after {}: |g_y| = {:.3g}, target {:.3g}", to_string(answer.status), describe(),
                               answer.residual, target);
  return answer;
}

Selection UnrolledSelection::do_select(const Vec& x, const Vec& y) const {
  const double first_residual = norm(lower().grad_y(x, y));
  Vec now = y;
  Index step = 0;
  while (step < options_.steps && all_finite(now)) {
    now = map_->apply(x, now);
    ++step;
  }
  return finish(x, std::move(now), first_residual, step);
}

std::unique_ptr<SelectionMap::Point> UnrolledSelection::do_record(const Vec& x, const Vec& y) const {
  std::vector<std::unique_ptr<const StepMap::Point>> path;
  Vec now = y;
  while (std::ssize(path) < options_.steps && all_finite(now)) {
    path.push_back(map_->record(x, now));
    now = path.back()->image();
  }
  const Index steps = std::ssize(path);
  auto answer = finish(x, std::move(now), path.front()->residual(), steps);
  return std::make_unique<Recorded>(*this, std::move(answer), std::move(path));
}

}  // namespace bilevel
