#include "adjoint_flow.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "flow_end.hpp"

namespace bilevel::flow {

namespace {

struct Frozen {
  FlowSystem& system;
  const Vec& y;
};

int tail_rhs(double, N_Vector lambda, N_Vector rate, void* user) {
  auto& [system, y] = *static_cast<Frozen*>(user);
  return system.guarded(view(rate), [&]() -> Vec { return -system.hess_yy(y, view(lambda)); });
}

int tail_jacobian_times(N_Vector v, N_Vector product, double t, N_Vector, N_Vector, void* user, N_Vector) {
  return tail_rhs(t, v, product, user);
}

int tail_quadrature(double, N_Vector lambda, N_Vector rate, void* user) {
  auto& [system, y] = *static_cast<Frozen*>(user);
  return system.guarded(view(rate), [&]() -> Vec { return system.hess_xy(y, view(lambda)); });
}

int back_rhs(double, N_Vector y, N_Vector lambda, N_Vector rate, void* user) {
  auto& system = *static_cast<FlowSystem*>(user);
  return system.guarded(view(rate), [&]() -> Vec { return system.hess_yy(view(y), view(lambda)); });
}

int back_jacobian_times(N_Vector v, N_Vector product, double t, N_Vector y, N_Vector, N_Vector, void* user, N_Vector) {
  return back_rhs(t, y, v, product, user);
}

int back_quadrature(double, N_Vector y, N_Vector lambda, N_Vector rate, void* user) {
  auto& system = *static_cast<FlowSystem*>(user);
  return system.guarded(view(rate), [&]() -> Vec { return system.hess_xy(view(y), view(lambda)); });
}

Tail refuse(Failure failure) { return {{}, {}, failure.status, std::move(failure.message)}; }

}  // namespace

Tail follow_tail(ForwardFlow& flow, const Vec& v) {
  constexpr double kLeak = 1e-5;  // of |B| |v|: a smaller rest is the flow's own inexactness
  constexpr double kTowards = 1e3;
  auto& system = flow.system();
  const auto& options = system.options();
  const auto& spectrum = flow.spectrum();
  const Vec y = flow.state();
  if (spectrum.negative(spectrum.smallest)) return refuse(saddle(spectrum.smallest, spectrum.largest));
  // Where B vanishes at the end, as by symmetry, only its size at the start says what is small.
  const double scale = std::max(measure_coupling(system, flow.start()), measure_coupling(system, y)) * norm(v);
  if (scale == 0) return {v, Vec::Zero(system.dim_x()), Status::converged, "at rest"};

  Frozen frozen{system, y};
  const Accuracy accuracy{options.relative_accuracy, options.absolute_accuracy * norm(v)};
  Integrator integrator(v, tail_rhs, tail_jacobian_times, &frozen, accuracy, options.krylov_dimension);
  const auto integral = make_vector(Vec::Zero(system.dim_x()), integrator.context());
  require(CVodeQuadInit(integrator.memory(), tail_quadrature, integral.get()), "CVodeQuadInit");
  require(CVodeQuadSStolerances(integrator.memory(), options.relative_accuracy, options.absolute_accuracy * scale),
          "CVodeQuadSStolerances");
  require(CVodeSetQuadErrCon(integrator.memory(), SUNTRUE), "CVodeSetQuadErrCon");
  integrator.stop_at(options.end_time);

  Decay decay(spectrum.largest);
  Tail half;
  for (;;) {
    const Vec lambda = integrator.state();
    const double size = norm(system.hess_xy(y, lambda)), length = norm(lambda);
    if (!std::isfinite(size)) return refuse({Status::nonfinite, "the adjoint of the flow is not finite"});
    if (size <= options.sensitivity_tolerance * scale)
      return {lambda, copy(integral.get()), Status::converged, "at rest"};
    const double curvature = dot(lambda, system.hess_yy(y, lambda)) / (length * length);
    if (spectrum.negative(curvature) && size > kLeak * scale) return refuse(saddle(curvature, spectrum.largest));
    const auto state = decay.observe(integrator.time(), size);
    if (state == Decay::State::new_half) half = {lambda, copy(integral.get()), Status::converged, "at rest"};
    if (state == Decay::State::stuck) {
      if (size <= kLeak * scale) return half;
      return refuse(
          {Status::breakdown,
           fmt::format("the follower is not Morse-Bott here: B' leaves the range of H by |B P_ker v| = {:.3g}, "
                       "so the sensitivity grows linearly with time and the selection has no derivative there",
                       size)});
    }
    if (integrator.steps() >= options.max_steps) {
      return refuse({Status::budget_reached, "the adjoint did not come to rest within the steps allowed"});
    }
    if (integrator.time() >= options.end_time) {
      return refuse({Status::budget_reached, "the adjoint did not come to rest before the end time"});
    }
    // The first step is at least 1e-14 of the time towards which CVODES is sent.
    const bool first = integrator.steps() == 0 && spectrum.largest > 0;
    const int code =
        integrator.step(first ? std::min(options.end_time, kTowards / spectrum.largest) : options.end_time);
    if (code < 0) return refuse(system.why(code));
    double time = 0;
    require(CVodeGetQuad(integrator.memory(), &time, integral.get()), "CVodeGetQuad");
  }
}

Tail sweep_back(ForwardFlow& flow, const Vec& end) {
  auto& system = flow.system();
  const auto& options = system.options();
  auto& integrator = flow.integrator();
  void* memory = integrator.memory();
  if (flow.steps() == 0) return {end, Vec::Zero(system.dim_x()), Status::converged, "the start is critical"};

  const auto lambda = make_vector(end, integrator.context());
  const auto integral = make_vector(Vec::Zero(system.dim_x()), integrator.context());
  const Index kept = std::min(options.krylov_dimension, system.dim_y());
  KrylovSolver krylov(SUNLinSol_SPGMR(lambda.get(), SUN_PREC_NONE, static_cast<int>(kept), integrator.context().get()));
  if (!krylov) throw std::bad_alloc();
  const double absolute = options.absolute_accuracy * std::max(norm(end), 1e-300);
  int which = 0;
  require(CVodeCreateB(memory, CV_BDF, &which), "CVodeCreateB");
  require(CVodeInitB(memory, which, back_rhs, flow.time(), lambda.get()), "CVodeInitB");
  require(CVodeSStolerancesB(memory, which, options.relative_accuracy, absolute), "CVodeSStolerancesB");
  require(CVodeSetUserDataB(memory, which, &system), "CVodeSetUserDataB");
  require(CVodeSetLinearSolverB(memory, which, krylov.get(), nullptr), "CVodeSetLinearSolverB");
  require(CVodeSetJacTimesB(memory, which, nullptr, back_jacobian_times), "CVodeSetJacTimesB");
  require(CVodeSetMaxNumStepsB(memory, which, options.max_steps), "CVodeSetMaxNumStepsB");
  require(CVodeQuadInitB(memory, which, back_quadrature, integral.get()), "CVodeQuadInitB");
  require(CVodeQuadSStolerancesB(memory, which, options.relative_accuracy, absolute), "CVodeQuadSStolerancesB");
  require(CVodeSetQuadErrConB(memory, which, SUNTRUE), "CVodeSetQuadErrConB");

  const int code = CVodeB(memory, 0.0, CV_NORMAL);
  if (code < 0) return refuse(system.why(code));
  double time = 0;
  require(CVodeGetB(memory, which, &time, lambda.get()), "CVodeGetB");
  require(CVodeGetQuadB(memory, which, &time, integral.get()), "CVodeGetQuadB");
  // CVODES integrates from the end to 0, against the direction of time.
  return {copy(lambda.get()), -copy(integral.get()), Status::converged, "back at the start"};
}

}  // namespace bilevel::flow
