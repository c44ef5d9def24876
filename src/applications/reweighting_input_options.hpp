// What of the input's options goes together, and the sources' names.
#pragma once

#include <string>
#include <vector>

#include "bilevel/reweighting_input.hpp"

namespace bilevel {

struct NamedSpecification {
  std::string name, spec;
};

/// "name=spec" items; one without '=' continues the one before. Throws InvalidOption for fewer than two, names that
/// occur twice and items without a name or a file.
std::vector<NamedSpecification> named_sources(const std::vector<std::string>& items);

/// Throws InvalidOption for values out of range and combinations that make no sense.
void check_reweighting_input(const ReweightingInputOptions& options);

}  // namespace bilevel
