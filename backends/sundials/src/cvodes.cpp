#include "cvodes.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace bilevel::flow {

namespace {

/// CVODES prints its complaints otherwise; the return code says the same.
void say_nothing(int, const char*, const char*, char*, void*) {}

Context make_context() {
  SUNContext context = nullptr;
  if (SUNContext_Create(nullptr, &context) != 0) throw std::bad_alloc();
  return Context(context);
}

}  // namespace

void require(int code, const char* call) {
  if (code == CV_SUCCESS) return;
  if (code == CV_MEM_FAIL) throw std::bad_alloc();
  throw std::runtime_error(fmt::format("{} of CVODES failed with code {}", call, code));
}

Failure explain(int code) {
  switch (code) {
    case CV_TOO_MUCH_WORK: return {Status::budget_reached, "the integrator used up its steps"};
    case CV_TOO_MUCH_ACC:
      return {Status::stagnated, "the accuracy asked for is below the rounding of the state: ask for less"};
    case CV_ERR_FAILURE:
      return {Status::stagnated,
              "the error of one step stays above the accuracy however short the step: the "
              "follower's gradient is rough, noisy or runs to infinity in finite time"};
    case CV_CONV_FAILURE:
      return {Status::stagnated,
              "the Newton steps of the integrator do not converge however short the step: are the "
              "Hessian products those of the gradient?"};
    case CV_LINIT_FAIL:
    case CV_LSETUP_FAIL:
    case CV_LSOLVE_FAIL: return {Status::breakdown, "the Krylov solver of the integrator failed for good"};
    case CV_RHSFUNC_FAIL:
    case CV_FIRST_RHSFUNC_ERR:
    case CV_REPTD_RHSFUNC_ERR:
    case CV_UNREC_RHSFUNC_ERR:
    case CV_QRHSFUNC_FAIL:
    case CV_FIRST_QRHSFUNC_ERR:
    case CV_REPTD_QRHSFUNC_ERR:
    case CV_UNREC_QRHSFUNC_ERR:
    case CV_SRHSFUNC_FAIL:
    case CV_FIRST_SRHSFUNC_ERR:
    case CV_REPTD_SRHSFUNC_ERR:
    case CV_UNREC_SRHSFUNC_ERR:
      return {Status::nonfinite, "the follower's gradient or its products are not finite, however short the step"};
    default: return {Status::breakdown, fmt::format("CVODES gave up with code {}", code)};
  }
}

Integrator::Integrator(const Vec& start, CVRhsFn rhs, CVLsJacTimesVecFn jacobian_times, void* user, Accuracy accuracy,
                       Index krylov_dimension)
    : krylov_dimension_(krylov_dimension), context_(make_context()), state_(add_vector(start)) {
  SUNLinearSolver krylov = add_krylov(state_);
  memory_ = CVodeCreate(CV_BDF, context_.get());
  if (memory_ == nullptr) throw std::bad_alloc();
  try {
    require(CVodeSetErrHandlerFn(memory_, say_nothing, nullptr), "CVodeSetErrHandlerFn");
    require(CVodeInit(memory_, rhs, 0.0, state_), "CVodeInit");
    require(CVodeSStolerances(memory_, accuracy.relative, accuracy.absolute), "CVodeSStolerances");
    require(CVodeSetUserData(memory_, user), "CVodeSetUserData");
    require(CVodeSetLinearSolver(memory_, krylov, nullptr), "CVodeSetLinearSolver");
    require(CVodeSetJacTimes(memory_, nullptr, jacobian_times), "CVodeSetJacTimes");
  } catch (...) {
    CVodeFree(&memory_);
    throw;
  }
}

Integrator::~Integrator() { CVodeFree(&memory_); }

N_Vector Integrator::add_vector(const Vec& entries) {
  Vector vector(N_VNew_Serial(entries.size(), context_.get()));
  if (!vector) throw std::bad_alloc();
  view(vector.get()) = entries;
  return vectors_.emplace_back(std::move(vector)).get();
}

SUNLinearSolver Integrator::add_krylov(N_Vector like) {
  constexpr int kRestarts = 2;
  const auto kept = static_cast<int>(std::min<Index>(krylov_dimension_, NV_LENGTH_S(like)));
  KrylovSolver solver(SUNLinSol_SPGMR(like, SUN_PREC_NONE, kept, context_.get()));
  if (!solver) throw std::bad_alloc();
  require(SUNLinSol_SPGMRSetMaxRestarts(solver.get(), kRestarts), "SUNLinSol_SPGMRSetMaxRestarts");
  return solvers_.emplace_back(std::move(solver)).get();
}

void Integrator::stop_at(double time) { require(CVodeSetStopTime(memory_, time), "CVodeSetStopTime"); }

int Integrator::step(double towards) {
  const int code = CVode(memory_, towards, state_, &time_, CV_ONE_STEP);
  if (code >= 0) ++steps_;
  return code;
}

int Integrator::recorded_step(double towards) {
  int checkpoints = 0;
  const int code = CVodeF(memory_, towards, state_, &time_, CV_ONE_STEP, &checkpoints);
  if (code >= 0) ++steps_;
  return code;
}

}  // namespace bilevel::flow
