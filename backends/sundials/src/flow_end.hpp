// What the end of a flow is like: the follower's curvature there, and whether what should come to rest does.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "flow_system.hpp"

namespace bilevel::flow {

/// Eigenvalues below this times |H| count as zero, curvatures below minus this times |H| as negative.
inline constexpr double kKernelLevel = 1e-6;

/// A derivative's rest that is at most this part of its terms is put down to the flow's own inexactness.
inline constexpr double kLeakLevel = 1e-5;

/// CVODES takes a first step of at least 1e-14 of the time towards which it is sent: this many times 1 / |H|.
inline constexpr double kFirstHorizon = 1e3;

/// Ends of the spectrum of H at y, by at most 60 products of Lanczos from a seeded start: `smallest` is at least the
/// smallest eigenvalue and `largest` at most |H|, all exact for m <= 60 up to rounding.
struct Spectrum {
  double smallest = 0;
  double slowest = 0;  // smallest in absolute value of those that do not count as zero; 0 if all do
  double largest = 0;

  /// Whether a curvature is clearly negative.
  bool negative(double curvature) const { return curvature < -std::max(kKernelLevel * largest, inexact); }
  /// Curvatures of this size are put down to the distance from the manifold of minimisers that is left.
  double inexact = 0;
};
Spectrum measure_spectrum(FlowSystem& system, const Vec& y);

/// |B| in Frobenius norm at y, from three seeded products: within a factor of about 2.
double measure_coupling(FlowSystem& system, const Vec& y);

/// The flow's end is a saddle with this curvature.
Failure saddle(double curvature, double scale);

/// B' leaves the range of H by this much, measured as `what`.
Failure leaves_range(std::string_view what, double size);

/// A quantity that should decay while a direction d obeys d' = -H d at the end of the flow.
class Decay {
 public:
  enum class State { decays, new_half, stuck };

  /// `scale`: |H|.
  explicit Decay(double scale) : scale_(scale) {}

  /// new_half: the size fell below half of the last such one, or is the first. stuck: since then
  /// 1 / (kKernelLevel |H|) of time has passed, so that an eigenvalue above kKernelLevel |H| would have halved it.
  State observe(double time, double size);

 private:
  double scale_;
  std::optional<double> last_size_;
  double last_time_ = 0;
};

}  // namespace bilevel::flow
