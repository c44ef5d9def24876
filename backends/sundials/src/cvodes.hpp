// CVODES held by objects: what is created is freed, and a return code is a Status with a sentence.
#pragma once

#include <cvodes/cvodes.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#include <sunlinsol/sunlinsol_spgmr.h>

#include <memory>
#include <string>
#include <vector>

#include "bilevel/status.hpp"
#include "bilevel/vec.hpp"

namespace bilevel::flow {

struct Free {
  void operator()(SUNContext context) const { SUNContext_Free(&context); }
  void operator()(N_Vector vector) const { N_VDestroy(vector); }
  void operator()(SUNLinearSolver solver) const { SUNLinSolFree(solver); }
};
using Context = std::unique_ptr<std::remove_pointer_t<SUNContext>, Free>;
using Vector = std::unique_ptr<std::remove_pointer_t<N_Vector>, Free>;
using KrylovSolver = std::unique_ptr<std::remove_pointer_t<SUNLinearSolver>, Free>;

inline Eigen::Map<Vec> view(N_Vector vector) { return {NV_DATA_S(vector), NV_LENGTH_S(vector)}; }
inline Vec copy(N_Vector vector) { return view(vector); }

struct Failure {
  Status status;
  std::string message;
};

/// What a negative return code of CVODES means.
Failure explain(int code);

/// Throws std::bad_alloc or std::runtime_error if a call that sets a solver up failed.
void require(int code, const char* call);

/// How accurate one step is.
struct Accuracy {
  double relative, absolute;
};

/// One initial value problem z' = rhs(t, z), z(0) = start: BDF, Newton, SPGMR on products with the Jacobian.
class Integrator {
 public:
  /// The functions get `user`, which must outlive the integrator and stay where it is.
  Integrator(const Vec& start, CVRhsFn rhs, CVLsJacTimesVecFn jacobian_times, void* user, Accuracy accuracy,
             Index krylov_dimension);
  ~Integrator();
  Integrator(const Integrator&) = delete;
  Integrator& operator=(const Integrator&) = delete;

  void* memory() { return memory_; }
  Vec state() const { return view(state_); }
  double time() const { return time_; }
  Index steps() const { return steps_; }

  /// A vector, a Krylov solver for such vectors, that live as long as the integrator.
  N_Vector add_vector(const Vec& entries);
  SUNLinearSolver add_krylov(N_Vector like);

  /// Never steps beyond this time.
  void stop_at(double time);
  /// One step of the integrator's own choice, towards `towards`; the return code of CVODES.
  int step(double towards);
  /// The same, recorded for an adjoint (CVodeAdjInit must have been called).
  int recorded_step(double towards);

 private:
  Index krylov_dimension_;
  Context context_;
  std::vector<Vector> vectors_;
  std::vector<KrylovSolver> solvers_;
  N_Vector state_ = nullptr;
  void* memory_ = nullptr;
  double time_ = 0;
  Index steps_ = 0;
};

}  // namespace bilevel::flow
