// How a computation ended (Status), and how misuse is reported (errors).
//
// Numerical outcomes never throw: they are a Status with advice. Misuse and unreadable input throw a subclass of Error
// whose message is one sentence a user can act on.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel {

enum class Status {
  converged,       // the stopping tolerance was met
  budget_reached,  // iterations or time ran out first
  stagnated,       // no progress over the patience window
  diverged,        // values grow without bound
  nonfinite,       // a NaN or infinity appeared; the state was rolled back to the last finite one
  breakdown,       // a linear solve met negative curvature or an inconsistent system
  lower_failed,    // the follower's problem was not solved
  interrupted,     // the user, or an observer of the run, asked to stop
  exception,       // an oracle, the method or an observer threw; what was done before is kept
};

/// The status's name as it stands in result files, e.g. "budget_reached".
std::string_view to_string(Status status);

/// One sentence: what the user can do next. It names no options but those of StopRule, for which others there are
/// depends on the method.
std::string_view advice(Status status);

/// Base of everything that bilevel throws on purpose. what() is one sentence for the user.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Two shapes that must agree do not.
struct DimensionMismatch : Error {
  using Error::Error;
};

/// An option is unknown, unparsable or out of range; the message names option, value, allowed range, nearest name.
struct InvalidOption : Error {
  using Error::Error;
};

/// A method needs an oracle that the objective does not provide.
struct MissingOracle : Error {
  using Error::Error;
};

/// An argument of a call cannot be used, such as a null pointer or a state that belongs to another method.
struct InvalidArgument : Error {
  using Error::Error;
};

/// A file or data set cannot be used: the message says what, where (file, row, column), and what is allowed.
struct InvalidInput : Error {
  using Error::Error;
};

/// The name in `known` with the smallest edit distance to `name`, or "" if none is within two
/// edits or a third of its length. A name of more than 64 bytes is no slip: nothing is near it.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace bilevel
