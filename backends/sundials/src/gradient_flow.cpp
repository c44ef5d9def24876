#include "bilevel/gradient_flow.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "adjoint_flow.hpp"
#include "flow_end.hpp"
#include "forward_flow.hpp"

namespace bilevel {

namespace {

using flow::FlowSystem;
using flow::ForwardFlow;

void check_number(std::string_view option, double value, double lowest, double highest) {
  if (value >= lowest && value <= highest) return;
  throw InvalidOption(
      fmt::format("{} {} of the gradient flow is not allowed: it must be in [{}, {}]", option, value, lowest, highest));
}

void check_count(std::string_view option, Index value) {
  constexpr Index kLargest = 1'000'000'000;
  if (value >= 1 && value <= kLargest) return;
  throw InvalidOption(
      fmt::format("{} {} of the gradient flow is not allowed: it must be in [1, {}]", option, value, kLargest));
}

}  // namespace

/// The flow recorded with checkpoints. Products with v go back along it; those with dx integrate anew.
class GradientFlow::Recorded final : public SelectionMap::Point {
 public:
  static std::unique_ptr<Point> make(const GradientFlow& selection, const Vec& x, const Vec& y) {
    auto system = std::make_unique<FlowSystem>(selection.lower(), x, selection.options());
    auto path = std::make_unique<ForwardFlow>(*system, y, Eigen::MatrixXd(), ForwardFlow::Recording::checkpoints);
    auto answer = path->run_to_clear_rest();
    return std::make_unique<Recorded>(selection, x, y, std::move(system), std::move(path), std::move(answer));
  }

  Recorded(const GradientFlow& selection, Vec x, Vec y, std::unique_ptr<FlowSystem> system,
           std::unique_ptr<ForwardFlow> path, Selection answer)
      : Point(selection, std::move(answer)),
        selection_(selection),
        x_(std::move(x)),
        y_(std::move(y)),
        system_(std::move(system)),
        path_(std::move(path)),
        sweep_(*path_) {}

 private:
  SelectionProduct do_pull_back(const Vec& v) const override {
    if (answer().status != Status::converged) return {{}, Status::lower_failed, answer().message};
    system_->restart_budget();
    auto tail = flow::follow_tail(*path_, v);
    if (tail.status != Status::converged) return {{}, tail.status, std::move(tail.message)};
    auto back = sweep_.run(tail, v);
    if (back.status != Status::converged) return {{}, back.status, std::move(back.message)};
    return {-(tail.integral + back.integral), Status::converged, answer().message};
  }

  SelectionProduct do_push_forward(const Vec& dx) const override {
    auto moved = selection_.sensitivity(x_, y_, dx);
    if (moved.status != Status::converged) return {{}, moved.status, std::move(moved.message)};
    return {moved.moves.col(0), Status::converged, std::move(moved.message)};
  }

  const GradientFlow& selection_;
  Vec x_, y_;
  std::unique_ptr<FlowSystem> system_;
  std::unique_ptr<ForwardFlow> path_;
  mutable flow::BackwardSweep sweep_;
};

GradientFlow::GradientFlow(std::shared_ptr<const Objective> lower, GradientFlowOptions options)
    : SelectionMap(std::move(lower)), options_(options) {
  constexpr double kSmallest = 1e-300, kLargest = 1e300, kBelowOne = 0.999;
  check_number("tolerance", options_.tolerance, kSmallest, kBelowOne);
  check_number("sensitivity-tolerance", options_.sensitivity_tolerance, kSmallest, kBelowOne);
  check_number("relative-accuracy", options_.relative_accuracy, 1e-14, 1e-1);
  check_number("absolute-accuracy", options_.absolute_accuracy, kSmallest, kLargest);
  check_number("end-time", options_.end_time, kSmallest, kLargest);
  check_count("max-steps", options_.max_steps);
  check_count("max-products", options_.max_products);
  check_count("krylov-dimension", options_.krylov_dimension);
  check_count("steps-per-checkpoint", options_.steps_per_checkpoint);
  const OracleSet missing = OracleSet(Oracle::hess_yy).without(this->lower().provides());
  if (!missing.empty()) {
    throw MissingOracle(fmt::format("the gradient flow needs hess_yy of the lower objective, but \"{}\" provides {}",
                                    this->lower().name(), to_string(this->lower().provides())));
  }
}

std::string GradientFlow::describe() const {
  return fmt::format("gradient flow to tolerance {:.3g}, accuracy {:.3g}", options_.tolerance,
                     options_.relative_accuracy);
}

Selection GradientFlow::do_select(const Vec& x, const Vec& y) const {
  FlowSystem system(lower(), x, options_);
  return ForwardFlow(system, y, Eigen::MatrixXd(), ForwardFlow::Recording::none).run_to_clear_rest();
}

std::unique_ptr<SelectionMap::Point> GradientFlow::do_record(const Vec& x, const Vec& y) const {
  return Recorded::make(*this, x, y);
}

void GradientFlow::check_directions(const Vec& x, const Vec& y, const Eigen::MatrixXd& directions) const {
  if (x.size() != lower().dim_x() || y.size() != lower().dim_y() ||
      (directions.cols() > 0 && directions.rows() != lower().dim_x())) {
    throw DimensionMismatch(
        fmt::format("the gradient flow needs x of {} entries, y of {} and directions with {} rows, "
                    "but got {}, {} and {}",
                    lower().dim_x(), lower().dim_y(), lower().dim_x(), x.size(), y.size(), directions.rows()));
  }
  if (!all_finite(x) || !all_finite(y) || !directions.allFinite()) {
    throw InvalidInput("the gradient flow needs finite x, y and directions, but an entry is NaN or infinite");
  }
}

FlowSensitivity GradientFlow::sensitivity(const Vec& x, const Vec& y, const Eigen::MatrixXd& directions) const {
  check_directions(x, y, directions);
  const auto before = lower().counts();
  FlowSystem system(lower(), x, options_);
  ForwardFlow path(system, y, directions, ForwardFlow::Recording::none);
  FlowSensitivity result;
  result.answer = path.run_to_clear_rest();
  if (result.answer.status != Status::converged) {
    result.status = Status::lower_failed;
    result.message = result.answer.message;
  } else {
    auto settled = path.settle();
    result.moves = std::move(settled.moves);
    result.status = settled.status;
    result.message = std::move(settled.message);
  }
  result.time = path.time();
  result.answer.work = lower().counts() - before;
  return result;
}

FlowSensitivity GradientFlow::at_time(const Vec& x, const Vec& y, double time,
                                      const Eigen::MatrixXd& directions) const {
  check_directions(x, y, directions);
  if (!(time >= 0) || !std::isfinite(time)) {
    throw InvalidInput(fmt::format("the gradient flow needs a time >= 0, but got {}", time));
  }
  const auto before = lower().counts();
  FlowSystem system(lower(), x, options_);
  ForwardFlow path(system, y, directions, ForwardFlow::Recording::none);
  FlowSensitivity result;
  result.answer = path.run_to(time);
  result.status = result.answer.status;
  result.message = result.answer.message;
  if (result.status == Status::converged) result.moves = path.sensitivities();
  result.time = path.time();
  result.answer.work = lower().counts() - before;
  return result;
}

}  // namespace bilevel
