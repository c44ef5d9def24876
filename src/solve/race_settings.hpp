// The options that a race gives to single methods.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "bilevel/race.hpp"

namespace bilevel {

using MethodSettings = std::map<std::string, std::string>;

/// What RaceOptions::settings say of this method. Throws InvalidOption for one that is not METHOD.NAME=VALUE.
MethodSettings own_settings(const RaceOptions& options, std::string_view method);

}  // namespace bilevel
