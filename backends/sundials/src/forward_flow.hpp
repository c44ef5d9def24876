// The flow dY/dt = -g_y(x, Y) and, beside it, sensitivities dS/dt = -(B' dx + H S).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flow_end.hpp"
#include "flow_system.hpp"

namespace bilevel::flow {

class ForwardFlow {
 public:
  enum class Recording { none, checkpoints };

  /// `directions` is n x k, k may be 0.
  ForwardFlow(FlowSystem& system, const Vec& y, Eigen::MatrixXd directions, Recording recording);

  Integrator& integrator() { return integrator_; }
  FlowSystem& system() { return system_; }
  double time() const { return integrator_.time(); }
  Index steps() const { return integrator_.steps(); }
  const Vec& start() const { return start_; }
  Vec state() const { return integrator_.state(); }
  Eigen::MatrixXd sensitivities() const;  // m x k

  /// One step; what went wrong, if something did.
  std::optional<Failure> step();

  /// Until |g_y| meets the tolerance.
  Selection run_to_rest();
  /// The same, and from there on as far as the integrator comes, until two things are clear:
  ///   the distance to the limit is below the tolerance, estimated as |g_y| over the smallest nonzero curvature
  ///   a negative curvature is that of a saddle: beside a manifold of minimisers it can be negative by as much as the
  ///   distance from the manifold, but shrinks with it
  Selection run_to_clear_rest();
  /// After run_to_clear_rest.
  const Spectrum& spectrum() const { return spectrum_; }
  /// Until `time`.
  Selection run_to(double time);
  /// From clear rest on, until dS/dt = 0: the verdict on all columns, and S.
  struct Settled {
    Eigen::MatrixXd moves;
    Status status = Status::converged;
    std::string message;
  };
  Settled settle();

 private:
  struct User {
    FlowSystem* system;
    const Eigen::MatrixXd* directions;
  };
  static int rhs(double t, N_Vector y, N_Vector ydot, void* user);
  static int jacobian_times(N_Vector v, N_Vector product, double t, N_Vector y, N_Vector fy, void* user, N_Vector work);
  static int sensitivity_rhs(int count, double t, N_Vector y, N_Vector ydot, N_Vector* s, N_Vector* sdot, void* user,
                             N_Vector work, N_Vector more_work);

  Selection run_until(double target);
  Selection finish(Status status, double residual, std::string_view why) const;

  FlowSystem& system_;
  Eigen::MatrixXd directions_;
  Recording recording_;
  User user_;
  Integrator integrator_;
  Vec start_;
  double stop_time_;
  std::vector<N_Vector> sensitivities_;  // the integrator's
  Spectrum spectrum_;
};

}  // namespace bilevel::flow
