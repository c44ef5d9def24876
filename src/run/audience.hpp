// The observers of a run: told one after the other, whatever one of them throws.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "bilevel/run.hpp"

namespace bilevel {

class Audience {
 public:
  /// Throws InvalidArgument that says which observer is null.
  explicit Audience(const std::vector<Observer*>& observers);

  /// Calls `tell` with every observer but those that threw before.
  void tell(const char* event, const std::function<void(Observer&)>& tell);

  /// The first exception of an observer, or null, and the sentence about it.
  const std::exception_ptr& error() const { return error_; }
  const std::string& message() const { return message_; }

  bool wants_stop();

 private:
  std::vector<Observer*> listening_;
  std::exception_ptr error_;
  std::string message_;
};

}  // namespace bilevel
