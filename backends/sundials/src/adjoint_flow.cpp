#include "adjoint_flow.hpp"

#include <algorithm>
#include <cmath>

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

Tail refuse(Failure failure) { return {{}, {}, failure.status, std::move(failure.message), 0}; }

}  // namespace

Tail follow_tail(ForwardFlow& flow, const Vec& v) {
  auto& system = flow.system();
  const auto& options = system.options();
  const auto& spectrum = flow.spectrum();
  const Vec y = flow.state();
  if (spectrum.negative(spectrum.smallest)) return refuse(saddle(spectrum.smallest, spectrum.largest));
  if (v.isZero(0)) return {v, Vec::Zero(system.dim_x()), Status::converged, "nothing to follow", 0};
  // Where B vanishes at the end, as by symmetry, only its size at the start says what is small. If it vanishes at both,
  // lambda itself must come to rest, for B need not vanish in between.
  const double coupling = std::max(measure_coupling(system, flow.start()), measure_coupling(system, y));
  const double scale = norm(v) * (coupling > 0 ? coupling : spectrum.largest);
  const double integral_scale = scale > 0 ? scale : norm(v);

  Frozen frozen{system, y};
  const Accuracy accuracy{options.relative_accuracy, options.absolute_accuracy * norm(v)};
  Integrator integrator(v, tail_rhs, tail_jacobian_times, &frozen, accuracy, options.krylov_dimension);
  const N_Vector integral = integrator.add_vector(Vec::Zero(system.dim_x()));
  require(CVodeQuadInit(integrator.memory(), tail_quadrature, integral), "CVodeQuadInit");
  require(
      CVodeQuadSStolerances(integrator.memory(), options.relative_accuracy, options.absolute_accuracy * integral_scale),
      "CVodeQuadSStolerances");
  require(CVodeSetQuadErrCon(integrator.memory(), SUNTRUE), "CVodeSetQuadErrCon");
  integrator.stop_at(options.end_time);

  Decay decay(spectrum.largest);
  Tail half;
  for (;;) {
    const Vec lambda = integrator.state();
    const Vec turned = system.hess_yy(y, lambda);
    const double size = norm(coupling > 0 ? system.hess_xy(y, lambda) : turned), length = norm(lambda);
    if (!std::isfinite(size)) return refuse({Status::nonfinite, "the adjoint of the flow is not finite"});
    if (size <= options.sensitivity_tolerance * scale) {
      return {lambda, copy(integral), Status::converged, "at rest", integral_scale};
    }
    const double curvature = dot(lambda, turned) / (length * length);
    if (spectrum.negative(curvature) && size > kLeakLevel * scale) return refuse(saddle(curvature, spectrum.largest));
    const auto state = decay.observe(integrator.time(), size);
    if (state == Decay::State::new_half) half = {lambda, copy(integral), Status::converged, "at rest", integral_scale};
    if (state == Decay::State::stuck) {
      if (size <= kLeakLevel * scale) return half;
      return refuse(leaves_range("|B P_ker v|", size));
    }
    if (integrator.steps() >= options.max_steps) {
      return refuse({Status::budget_reached, "the adjoint did not come to rest within the steps allowed"});
    }
    if (integrator.time() >= options.end_time) {
      return refuse({Status::budget_reached, "the adjoint did not come to rest before the end time"});
    }
    const bool first = integrator.steps() == 0 && spectrum.largest > 0;
    const int code =
        integrator.step(first ? std::min(options.end_time, kFirstHorizon / spectrum.largest) : options.end_time);
    if (code < 0) return refuse(system.why(code));
    double time = 0;
    require(CVodeGetQuad(integrator.memory(), &time, integral), "CVodeGetQuad");
  }
}

BackwardSweep::BackwardSweep(ForwardFlow& flow) : flow_(flow) {}

void BackwardSweep::set_up() {
  auto& system = flow_.system();
  auto& integrator = flow_.integrator();
  const auto& options = system.options();
  void* memory = integrator.memory();
  require(CVodeCreateB(memory, CV_BDF, &problem_), "CVodeCreateB");
  require(CVodeInitB(memory, problem_, back_rhs, flow_.time(), lambda_), "CVodeInitB");
  require(CVodeSetUserDataB(memory, problem_, &system), "CVodeSetUserDataB");
  require(CVodeSetLinearSolverB(memory, problem_, integrator.add_krylov(lambda_), nullptr), "CVodeSetLinearSolverB");
  require(CVodeSetJacTimesB(memory, problem_, nullptr, back_jacobian_times), "CVodeSetJacTimesB");
  require(CVodeSetMaxNumStepsB(memory, problem_, options.max_steps), "CVodeSetMaxNumStepsB");
  require(CVodeQuadInitB(memory, problem_, back_quadrature, integral_), "CVodeQuadInitB");
  require(CVodeSetQuadErrConB(memory, problem_, SUNTRUE), "CVodeSetQuadErrConB");
}

Tail BackwardSweep::run(const Tail& tail, const Vec& v) {
  const Vec& end = tail.left;
  auto& system = flow_.system();
  const auto& options = system.options();
  void* memory = flow_.integrator().memory();
  if (flow_.steps() == 0 || end.isZero(0)) {
    return {end, Vec::Zero(system.dim_x()), Status::converged, "nothing to go back along", 0};
  }

  if (problem_ < 0) {
    lambda_ = flow_.integrator().add_vector(end);
    integral_ = flow_.integrator().add_vector(Vec::Zero(system.dim_x()));
    set_up();
  } else {
    view(lambda_) = end;
    view(integral_).setZero();
    require(CVodeReInitB(memory, problem_, flow_.time(), lambda_), "CVodeReInitB");
    require(CVodeQuadReInitB(memory, problem_, integral_), "CVodeQuadReInitB");
  }
  // Tolerances come from v and |B|, not from `end`: what is left of v may be next to nothing, and a tolerance below the
  // rounding of B lambda would hold back the long steps near rest.
  const double absolute = options.absolute_accuracy * norm(v);
  const double absolute_integral = options.absolute_accuracy * tail.integral_scale;
  require(CVodeSStolerancesB(memory, problem_, options.relative_accuracy, absolute), "CVodeSStolerancesB");
  require(CVodeQuadSStolerancesB(memory, problem_, options.relative_accuracy, absolute_integral),
          "CVodeQuadSStolerancesB");

  const int code = CVodeB(memory, 0.0, CV_NORMAL);
  if (code < 0) return refuse(system.why(code));
  double time = 0;
  require(CVodeGetB(memory, problem_, &time, lambda_), "CVodeGetB");
  require(CVodeGetQuadB(memory, problem_, &time, integral_), "CVodeGetQuadB");
  // CVODES integrates from the end to 0, against the direction of time.
  return {copy(lambda_), -copy(integral_), Status::converged, "back at the start", 0};
}

}  // namespace bilevel::flow
