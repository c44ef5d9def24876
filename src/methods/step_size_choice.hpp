// The leader's automatic step size as a choice, noted at every step.
#pragma once

#include <algorithm>

#include <fmt/format.h>

#include "bilevel/method.hpp"

namespace bilevel {

/// asked -> used of outer-step-size; changes only the value where the choice stands already.
inline void note_outer_step_size(Choices& choices, double step_size) {
  constexpr std::string_view kOption = "outer-step-size";
  const auto known = std::find_if(choices.begin(), choices.end(), [&](const Choice& c) { return c.option == kOption; });
  std::string used = fmt::format("{:.4g}", step_size);  // short enough to need no memory of its own
  if (known != choices.end()) {
    known->used = std::move(used);
    return;
  }
  choices.push_back({std::string(kOption), "auto", std::move(used),
                     "shortened when the upper objective rises, lengthened while it falls"});
}

}  // namespace bilevel
