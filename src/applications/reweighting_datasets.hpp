// Named data sets as sources: Fashion-MNIST with planted bad sources, SpamAssassin by its folders.
#pragma once

#include "bilevel/reweighting_input.hpp"

namespace bilevel {

std::vector<std::string> reweighting_dataset_names();

/// Throws InvalidInput for an unknown name or a data set that is not installed, InvalidOption for more rows than there
/// are.
ReweightingInput read_reweighting_dataset(const ReweightingInputOptions& options);

}  // namespace bilevel
