// What goes wrong inside oracles while somebody watches: answers that are not finite, and exceptions.
#pragma once

#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

/// An oracle's answer that has a NaN or an infinity, although all it was asked with was finite.
struct NonfiniteAnswer {
  const Objective* objective = nullptr;
  Oracle oracle = Oracle::value;
  Index length = 1;   // of the answer; 1 for a value
  Index entries = 1;  // how many of it are not finite
  Index first = 0;    // the first of them, counted from 0
  double number = 0;  // what stands there
  /// The largest |x_i| and |y_i| of the point that was asked about; NaN for products, which do not know it.
  double largest_x = std::numeric_limits<double>::quiet_NaN(), largest_y = largest_x;
};

/// An exception on its way out of an oracle.
struct OracleException {
  const Objective* objective = nullptr;
  OracleSet oracles;  // what was asked for; empty: a linearisation alone
  std::exception_ptr error;
};

/// "grad_y of the upper objective 'f' has 1 entry that is not finite (the first: entry 4 of 10 is nan), ..."; `role` is
/// "upper objective" or what else the objective is called.
std::string describe(const NonfiniteAnswer& answer, std::string_view role);

/// As long as it stands it is told of every non-finite answer and every exception of these objectives, whichever thread
/// called them. It changes no answer, and costs nothing while all is well: the objectives test their answers anyway.
/// Must not outlive the objectives.
class OracleWatch {
 public:
  explicit OracleWatch(std::vector<const Objective*> objectives);
  ~OracleWatch();
  OracleWatch(const OracleWatch&) = delete;
  OracleWatch& operator=(const OracleWatch&) = delete;

  struct Notes {
    std::uint64_t nonfinite = 0;                       // answers
    std::optional<NonfiniteAnswer> first_nonfinite{};  // the first of them
    std::optional<OracleException> last_exception{};
  };
  /// What was noted since the last take.
  Notes take();

 private:
  friend class Objective;
  void note(const NonfiniteAnswer& answer);
  void note(const OracleException& exception);

  std::vector<const Objective*> objectives_;
  std::mutex mutex_;
  Notes notes_;
};

}  // namespace bilevel
