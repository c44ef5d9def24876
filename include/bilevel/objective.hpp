// Objective: phi(x, y) = 1/N sum_i phi_i(x, y) and its oracles. The only access to second order is by products.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bilevel/batch.hpp"
#include "bilevel/vec.hpp"

namespace bilevel {

/// What can be asked of an objective. H = d2_yy phi (m x m), B = d2_xy phi (n x m).
enum class Oracle : std::uint8_t {
  value,    // phi                     scalar
  grad_x,   // d_x phi                 R^n
  grad_y,   // d_y phi                 R^m
  hess_yy,  // v -> H v                R^m -> R^m
  hess_xy,  // v -> B v                R^m -> R^n
  hess_yx,  // u -> B' u               R^n -> R^m
};
inline constexpr std::size_t kOracleCount = 6;
std::string_view to_string(Oracle oracle);

/// A set of oracles, e.g. Oracle::value | Oracle::grad_y.
class OracleSet {
 public:
  constexpr OracleSet() = default;
  constexpr OracleSet(Oracle oracle) : bits_(1u << static_cast<unsigned>(oracle)) {}
  constexpr OracleSet operator|(OracleSet other) const { return OracleSet(bits_ | other.bits_); }
  constexpr bool has(Oracle oracle) const { return (bits_ >> static_cast<unsigned>(oracle)) & 1u; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const OracleSet&) const = default;
  /// Those in this set that `other` lacks.
  constexpr OracleSet without(OracleSet other) const { return OracleSet(bits_ & ~other.bits_); }
  static constexpr OracleSet all() { return OracleSet((1u << kOracleCount) - 1u); }

 private:
  explicit constexpr OracleSet(unsigned bits) : bits_(bits) {}
  unsigned bits_ = 0;
};
constexpr OracleSet operator|(Oracle a, Oracle b) { return OracleSet(a) | OracleSet(b); }
std::string to_string(OracleSet set);

/// How often each oracle was called, how many samples that touched, and how long it took.
struct OracleCounts {
  std::array<std::uint64_t, kOracleCount> calls{};
  std::array<std::uint64_t, kOracleCount> samples{};
  /// Wall time inside oracles. Of like calls shorter than two microseconds, where reading the clock would cost as much
  /// as the call, one in sixteen is timed and stands for the others.
  double seconds = 0;

  std::uint64_t operator[](Oracle oracle) const { return calls[static_cast<std::size_t>(oracle)]; }
  std::uint64_t total() const;
};
/// Difference of two counts of the same objective, later minus earlier.
OracleCounts operator-(const OracleCounts& later, const OracleCounts& earlier);

/// The answers that were asked for; the others are empty.
struct Evaluation {
  std::optional<double> value;
  std::optional<Vec> grad_x;  // R^n
  std::optional<Vec> grad_y;  // R^m
};

/// H v and B v of one direction v, from one pass over the data.
struct Products {
  Vec hess_yy;  // R^m
  Vec hess_xy;  // R^n
};

/// What is wanted of a point and of one direction there.
struct EvaluationAndProducts {
  Evaluation evaluation;
  Products products;
};

/// A place where an objective has no derivative, or no second one.
struct Kink {
  std::string what;  // and where it stands, e.g. "abs(y - 2) at column 17"
  double distance;   // >= 0: how far the argument is from the switch, in its own unit
  double scale;      // the size of the terms that the argument is made from
  int order;         // of what jumps across it: 0 the value (or it may), 1 the first derivative, 2 the second

  /// Whether the point is at the switch, or nearer than `share` of what the argument is made from.
  bool is_within(double share) const { return distance <= share * scale; }
};
/// "abs(y - 2) at column 17, at its corner", or how far from it.
std::string to_string(const Kink& kink);

class Objective;
class OracleWatch;

/// The objective linearised at a point (x, y, batch): what does not depend on the direction was computed once, so each
/// product is the cheap part. Must not outlive the objective, nor the batch's indices.
class Linearization {
 public:
  /// The objective's own part: what its do_linearize hands over. Products must be callable any number of times.
  class Implementation {
   public:
    virtual ~Implementation() = default;
    virtual Vec hess_yy(const Vec& v) const = 0;
    virtual Vec hess_xy(const Vec& v) const = 0;
    virtual Vec hess_yx(const Vec& u) const = 0;
    /// Both products of one direction; override where one pass gives both.
    virtual Products both(const Vec& v) const { return {hess_yy(v), hess_xy(v)}; }
  };

  Linearization(const Objective& objective, std::size_t samples, Evaluation evaluation,
                std::unique_ptr<const Implementation> implementation);

  /// What was asked for beside the linearisation (linearize's `also`).
  const Evaluation& evaluation() const { return evaluation_; }
  /// The same, moved out.
  Evaluation take_evaluation() { return std::move(evaluation_); }

  Vec hess_yy(const Vec& v) const;  // R^m -> R^m
  Vec hess_xy(const Vec& v) const;  // R^m -> R^n
  Vec hess_yx(const Vec& u) const;  // R^n -> R^m
  Products both(const Vec& v) const;

 private:
  friend class Objective;

  const Objective* objective_;
  std::size_t samples_;
  bool finite_point_ = true;
  Evaluation evaluation_;
  std::unique_ptr<const Implementation> implementation_;
};

/// A smooth function of leader x in R^n and follower y in R^m, an average over samples (samples() = 1 if it is not
/// one).
///
/// Deterministic given the batch: no randomness inside, no state between calls but the counters. The public calls check
/// the shapes of arguments and answers (DimensionMismatch) and availability (MissingOracle), count and time; the
/// private virtuals do the work. Answers that are not finite are handed on: methods may step back from where they came;
/// an OracleWatch is told of them. Calls from several threads at once are allowed unless a subclass says otherwise.
class Objective {
 public:
  virtual ~Objective() = default;
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;

  const std::string& name() const { return name_; }
  Index dim_x() const { return dim_x_; }
  Index dim_y() const { return dim_y_; }
  std::size_t samples() const { return samples_; }
  OracleSet provides() const { return do_provides(); }

  double value(const Vec& x, const Vec& y, Batch batch = full) const;
  Vec grad_x(const Vec& x, const Vec& y, Batch batch = full) const;
  Vec grad_y(const Vec& x, const Vec& y, Batch batch = full) const;
  Vec hess_yy(const Vec& x, const Vec& y, const Vec& v, Batch batch = full) const;
  Vec hess_xy(const Vec& x, const Vec& y, const Vec& v, Batch batch = full) const;
  Vec hess_yx(const Vec& x, const Vec& y, const Vec& u, Batch batch = full) const;

  /// Several of value, grad_x, grad_y at once, in one pass over the data.
  Evaluation evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch = full) const;

  /// Everything about (x, y, batch) that products need, and in the same pass what `also` asks of value and gradients.
  Linearization linearize(const Vec& x, const Vec& y, Batch batch = full, OracleSet also = {}) const;

  /// evaluate(), and H v and B v of one direction v: what linearize(x, y, batch, want) and both(v) give up to rounding,
  /// for who asks for one direction only. Objectives on data answer it from one pass. Counts as those two calls do.
  EvaluationAndProducts evaluate_along(OracleSet want, const Vec& x, const Vec& y, const Vec& v,
                                       Batch batch = full) const;

  /// Bytes that one Linearization of the full batch keeps alive: memory plans are chosen by it.
  virtual std::size_t linearization_bytes() const { return sizeof(double) * static_cast<std::size_t>(dim_x_ + dim_y_); }

  /// Relative rounding error of one oracle's answer, against the size of the terms that it is summed from: the spacing
  /// of the numbers that the heavy part is computed in. That of double, 2.2e-16, unless a subclass says otherwise; what
  /// is made of other objectives hands on the worst of theirs.
  virtual double rounding() const { return std::numeric_limits<double>::epsilon(); }
  /// The relative tolerance that a solve with these oracles can be held to: `tolerance`, or a hundred times rounding()
  /// if that is more.
  double attainable(double tolerance) const { return std::max(tolerance, 100 * rounding()); }

  /// The kinks that the objective knows of and that matter at (x, y), the nearest first; empty unless a subclass knows
  /// them. For messages: it may cost many evaluations. Not counted.
  virtual std::vector<Kink> kinks([[maybe_unused]] const Vec& x, [[maybe_unused]] const Vec& y) const { return {}; }
  /// Which part of the objective first has no finite value at (x, y), or none of its derivatives, e.g. "log(y - 5) at
  /// column 3 has the argument -4.8"; "" if all are finite or the objective cannot tell. For messages, as kinks().
  virtual std::string explain_nonfinite([[maybe_unused]] const Vec& x, [[maybe_unused]] const Vec& y) const {
    return {};
  }

  OracleCounts counts() const;

 protected:
  Objective(std::string name, Index dim_x, Index dim_y, std::size_t samples = 1);

 private:
  friend class Linearization;
  friend class OracleWatch;

  virtual OracleSet do_provides() const = 0;
  /// `want` holds only value, grad_x, grad_y, and only what do_provides() has.
  virtual Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const = 0;
  /// Fill `evaluation` with what `also` asks; return the products' part.
  virtual std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                            OracleSet also,
                                                                            Evaluation& evaluation) const = 0;
  /// By do_linearize; override where one pass gives all.
  virtual EvaluationAndProducts do_evaluate_along(OracleSet want, const Vec& x, const Vec& y, const Vec& v,
                                                  Batch batch) const;

  void check_point(const Vec& x, const Vec& y, Batch batch) const;
  void check_direction(std::string_view what, const Vec& direction, Index expected) const;
  void check_answer(Oracle oracle, const Vec& answer, Index expected) const;
  void check_answers(OracleSet wanted, const Evaluation& answers) const;
  void require(OracleSet wanted) const;
  void require_no_products(std::string_view call, OracleSet want) const;
  void count(OracleSet which, std::size_t samples, std::uint64_t nanoseconds) const;
  template <class Call>
  auto told_if_it_throws(OracleSet which, const Call& call) const;
  void look_at(const Products& products, const Vec& direction) const;
  void tell_of_exception(OracleSet which) const;
  void tell_of_nonfinite(const Evaluation& answers, const Vec& x, const Vec& y) const;
  void tell_of_nonfinite(Oracle oracle, const Vec& answer, const Vec& direction) const;

  /// How long calls of one kind take, so that short ones need not be timed one by one.
  struct Pace {
    std::atomic<std::uint64_t> call{0};     // what was asked for on how many samples, of the last timed call
    std::atomic<std::uint32_t> usual{0};    // its nanoseconds; 0: it was long
    std::atomic<std::uint32_t> untimed{0};  // calls since then
  };
  class Stopwatch;

  std::string name_;
  Index dim_x_, dim_y_;
  std::size_t samples_;
  mutable std::array<std::atomic<std::uint64_t>, kOracleCount> calls_{};
  mutable std::array<std::atomic<std::uint64_t>, kOracleCount> further_samples_{};  // beyond one a call
  mutable std::atomic<std::uint64_t> nanoseconds_{0};
  mutable Pace evaluations_, linearizations_, products_, alongs_;
  mutable std::mutex watching_;
  mutable std::vector<OracleWatch*> watches_;
};

}  // namespace bilevel
