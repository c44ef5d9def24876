// `bilevel clean`: find the mislabelled rows of a training set, and a model that ignores them.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command clean_command();

}  // namespace bilevel::cli
