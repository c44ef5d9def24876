// The sentence of an error, to compare it whole.
#pragma once

#include <string>

namespace bilevel::testing {

template <typename Exception, typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing of that type was thrown";
}

}  // namespace bilevel::testing
