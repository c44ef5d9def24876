// One step of a method, with an eye on its oracles: what went wrong is named by its origin.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "bilevel/method.hpp"
#include "bilevel/oracle_watch.hpp"

namespace bilevel {

/// The exception's sentence, or that it has none.
std::string what_of(const std::exception_ptr& error);

/// Must not outlive the problem and the method.
class WatchedSteps {
 public:
  WatchedSteps(const BilevelProblem& problem, const OuterMethod& method);

  /// method.step, in place. Never throws: an exception is a report with Status::exception, and stands in error(). A
  /// step that says it went well but leaves or reports a number that is not finite is a report with Status::nonfinite,
  /// and so is a method's own exception after such a number. The message of a failure begins with the oracle that it
  /// came from, where that is known.
  StepReport step(OuterMethod::State& state);

  /// What the last step threw, or null.
  const std::exception_ptr& error() const { return error_; }

  /// Non-finite answers that steps met and yet ended well, if there were any.
  std::vector<Finding> findings() const;

 private:
  std::string role(const Objective* objective) const;
  std::string origin(const std::exception_ptr& error, const OracleWatch::Notes& notes) const;

  const BilevelProblem& problem_;
  const OuterMethod& method_;
  OracleWatch watch_;
  std::exception_ptr error_;
  std::uint64_t avoided_ = 0;
  std::string first_avoided_;
};

}  // namespace bilevel
