#include "forward_flow.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "flow_end.hpp"

namespace bilevel::flow {

int ForwardFlow::rhs(double, N_Vector y, N_Vector ydot, void* user) {
  auto& system = *static_cast<User*>(user)->system;
  return system.guarded(view(ydot), [&]() -> Vec { return -system.gradient(view(y)); });
}

int ForwardFlow::jacobian_times(N_Vector v, N_Vector product, double, N_Vector y, N_Vector, void* user, N_Vector) {
  auto& system = *static_cast<User*>(user)->system;
  return system.guarded(view(product), [&]() -> Vec { return -system.hess_yy(view(y), view(v)); });
}

int ForwardFlow::sensitivity_rhs(int count, double, N_Vector y, N_Vector, N_Vector* s, N_Vector* sdot, void* user,
                                 N_Vector, N_Vector) {
  auto& [system, directions] = *static_cast<User*>(user);
  for (int j = 0; j < count; ++j) {
    const int code = system->guarded(view(sdot[j]), [&]() -> Vec {
      return -(system->hess_yx(view(y), directions->col(j)) + system->hess_yy(view(y), view(s[j])));
    });
    if (code != 0) return code;
  }
  return 0;
}

ForwardFlow::ForwardFlow(FlowSystem& system, const Vec& y, Eigen::MatrixXd directions, Recording recording)
    : system_(system),
      directions_(std::move(directions)),
      recording_(recording),
      user_{&system_, &directions_},
      integrator_(y, rhs, jacobian_times, &user_, system.accuracy(), system.options().krylov_dimension),
      start_(y),
      stop_time_(system.options().end_time) {
  const int count = static_cast<int>(directions_.cols());
  if (count > 0) {
    std::vector<double> absolute;
    for (int j = 0; j < count; ++j) {
      sensitivities_.push_back(integrator_.add_vector(Vec::Zero(y.size())));
      const double size = directions_.col(j).norm();
      absolute.push_back(system.accuracy().absolute * (size > 0 ? size : 1));
    }
    void* memory = integrator_.memory();
    require(CVodeSensInit(memory, count, CV_STAGGERED, sensitivity_rhs, sensitivities_.data()), "CVodeSensInit");
    require(CVodeSensSStolerances(memory, system.accuracy().relative, absolute.data()), "CVodeSensSStolerances");
    require(CVodeSetSensErrCon(memory, SUNTRUE), "CVodeSetSensErrCon");
  }
  if (recording == Recording::checkpoints) {
    require(CVodeAdjInit(integrator_.memory(), system.options().steps_per_checkpoint, CV_HERMITE), "CVodeAdjInit");
  }
  integrator_.stop_at(stop_time_);
}

Eigen::MatrixXd ForwardFlow::sensitivities() const {
  Eigen::MatrixXd moves(system_.dim_y(), directions_.cols());
  for (Index j = 0; j < moves.cols(); ++j) moves.col(j) = view(sensitivities_[static_cast<std::size_t>(j)]);
  return moves;
}

std::optional<Failure> ForwardFlow::step() {
  constexpr double kRunsAway = 1e10;
  double end = stop_time_;
  if (steps() == 0) {
    const double speed = std::max(norm(system_.gradient(state())) / (1 + norm(start_)), spectrum_.largest);
    if (speed > 0) end = std::min(end, kFirstHorizon / speed);
  }
  int code = recording_ == Recording::checkpoints ? integrator_.recorded_step(end) : integrator_.step(end);
  if (code >= 0 && !sensitivities_.empty()) {
    double time = 0;
    code = CVodeGetSens(integrator_.memory(), &time, sensitivities_.data());
  }
  const double size = norm(state());
  if (size > kRunsAway * (1 + norm(start_))) {
    if (code < 0) system_.why(code);  // an oracle's exception goes first
    return Failure{Status::diverged,
                   fmt::format("the follower runs away, |y| = {:.3g}: g(x, .) is not coercive here", size)};
  }
  if (code < 0) return system_.why(code);
  return std::nullopt;
}

Selection ForwardFlow::finish(Status status, double residual, std::string_view why) const {
  Selection answer;
  answer.y = state();
  answer.status = status;
  answer.residual = residual;
  answer.iterations = steps();
  answer.message = fmt::format("{} at time {:.4g} after {} steps: |g_y| = {:.3g}{}{}", to_string(status), time(),
                               steps(), residual, why.empty() ? "" : ", ", why);
  return answer;
}

Selection ForwardFlow::run_to_rest() {
  return run_until(system_.options().tolerance * std::max(1.0, norm(system_.gradient(state()))));
}

Selection ForwardFlow::run_to_clear_rest() {
  constexpr int kRefinements = 4;
  constexpr double kCloser = 1e-2, kShrinks = 0.3, kRounding = 1e-14;
  auto answer = run_to_rest();
  if (answer.status != Status::converged) return answer;
  spectrum_ = measure_spectrum(system_, answer.y);
  for (int i = 0; i < kRefinements; ++i) {
    const double before = spectrum_.smallest, length = 1 + norm(answer.y);
    const bool negative = spectrum_.negative(before);
    double target = system_.options().tolerance * length * spectrum_.slowest;
    if (negative) target = std::min(target, kCloser * answer.residual);
    target = std::max(target, kRounding * length * spectrum_.largest);
    if (!(answer.residual > target)) break;
    auto closer = run_until(target);
    if (!(closer.residual <= answer.residual)) break;
    spectrum_ = measure_spectrum(system_, closer.y);
    // What is left of a curvature that shrank with |g_y| is no saddle's.
    if (negative && spectrum_.smallest > kShrinks * before) spectrum_.inexact = std::max(0.0, -2 * spectrum_.smallest);
    const bool reached = closer.status == Status::converged;
    answer = finish(Status::converged, closer.residual, reached ? "at rest" : closer.message);
    if (!reached) break;
  }
  return answer;
}

Selection ForwardFlow::run_until(double target) {
  const auto& options = system_.options();
  double residual = norm(system_.gradient(state()));
  for (;;) {
    if (!std::isfinite(residual)) return finish(Status::nonfinite, residual, "the follower's gradient is not finite");
    if (residual <= target) return finish(Status::converged, residual, fmt::format("target {:.3g}", target));
    if (system_.interrupted()) return finish(Status::interrupted, residual, "");
    if (steps() >= options.max_steps) {
      return finish(Status::budget_reached, residual, fmt::format("target {:.3g}: all steps are used up", target));
    }
    if (time() >= options.end_time) {
      return finish(Status::budget_reached, residual, fmt::format("target {:.3g}: the end time is reached", target));
    }
    if (const auto failure = step()) return finish(failure->status, residual, failure->message);
    residual = norm(system_.gradient(state()));
  }
}

Selection ForwardFlow::run_to(double time) {
  if (time > 0) {
    stop_time_ = time;
    integrator_.stop_at(time);
  }
  while (this->time() < time) {
    const double residual = norm(system_.gradient(state()));
    if (steps() >= system_.options().max_steps) {
      return finish(Status::budget_reached, residual, "all steps are used up");
    }
    if (const auto failure = step()) return finish(failure->status, residual, failure->message);
  }
  return finish(Status::converged, norm(system_.gradient(state())), "the time that was asked for");
}

ForwardFlow::Settled ForwardFlow::settle() {
  const auto& options = system_.options();
  const auto& spectrum = spectrum_;
  const auto refuse = [](Failure failure) { return Settled{{}, failure.status, std::move(failure.message)}; };
  if (spectrum.negative(spectrum.smallest)) return refuse(saddle(spectrum.smallest, spectrum.largest));

  const Index count = directions_.cols(), steps_before = steps();
  std::vector<Decay> decays(static_cast<std::size_t>(count), Decay(spectrum.largest));
  std::vector<bool> done(static_cast<std::size_t>(count), false);
  // Where B' dx vanishes at the end, as by symmetry, only its size on the way says what is small.
  std::vector<double> first_pull;
  for (Index j = 0; j < count; ++j) first_pull.push_back(norm(system_.hess_yx(start_, directions_.col(j))));
  Eigen::MatrixXd halves = sensitivities(), moves = halves;
  for (;;) {
    const Vec y = state();
    const Eigen::MatrixXd now = sensitivities();
    for (Index j = 0; j < count; ++j) {
      const auto index = static_cast<std::size_t>(j);
      if (done[index]) continue;
      const Vec pull = system_.hess_yx(y, directions_.col(j)), back = system_.hess_yy(y, now.col(j));
      const Vec rate = -(pull + back);
      const double size = norm(rate), largest_pull = std::max(norm(pull), first_pull[index]);
      const double scale = std::max(largest_pull, norm(back));
      const double rounding = spectrum.largest * options.absolute_accuracy * directions_.col(j).norm();
      if (!std::isfinite(size)) return refuse({Status::nonfinite, "the sensitivity of the flow is not finite"});
      if (size <= std::max(options.sensitivity_tolerance * scale, rounding)) {
        moves.col(j) = now.col(j);
        done[index] = true;
        continue;
      }
      const Vec turned = system_.hess_yy(y, rate);
      const double curvature = dot(rate, turned) / (size * size);
      if (spectrum.negative(curvature) && size > kLeakLevel * scale) {
        return refuse(saddle(curvature, spectrum.largest));
      }
      const auto state = decays[index].observe(time(), size);
      if (state == Decay::State::new_half) halves.col(j) = now.col(j);
      if (state != Decay::State::stuck) continue;
      if (size > kLeakLevel * largest_pull) return refuse(leaves_range("|P_ker B' dx|", size));
      moves.col(j) = halves.col(j);
      done[index] = true;
    }
    if (std::ranges::find(done, false) == done.end()) return {std::move(moves), Status::converged, "at rest"};
    if (steps() - steps_before >= options.max_steps) {
      return refuse({Status::budget_reached, "the sensitivity did not come to rest within the steps allowed"});
    }
    if (time() >= options.end_time) {
      return refuse({Status::budget_reached, "the sensitivity did not come to rest before the end time"});
    }
    if (const auto failure = step()) return refuse(*failure);
  }
}

}  // namespace bilevel::flow
