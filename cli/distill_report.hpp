// What `bilevel distill` prints and writes.
#pragma once

#include <string>

#include "bilevel/distillation.hpp"
#include "bilevel/distillation_input.hpp"
#include "bilevel/options.hpp"
#include "pictures/contact_sheet.hpp"

namespace bilevel::cli {

/// What was read.
std::string distill_input_text(const DistillationInput& input);

std::string distill_text(const DistillationInput& input, const DistillationResult& result, double seconds);

/// result.json.
std::string distill_json(const DistillationInput& input, const DistillationResult& result, const OptionTable& asked,
                         double seconds, const std::string& directory, const std::string& picture);

/// images.csv: label and features as in the training file, one line an image; learned labels as one column a class.
std::string images_csv(const DistillationInput& input, const DistillationResult& result, bool learned_labels);

/// Of images only.
ContactSheet contact_sheet(const DistillationInput& input, const DistillationResult& result);

}  // namespace bilevel::cli
