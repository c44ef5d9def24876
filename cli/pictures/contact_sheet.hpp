// Many small grey images on one sheet, a row for each class.
#pragma once

#include <string>
#include <vector>

#include "bilevel/network.hpp"
#include "pictures/script.hpp"

namespace bilevel::cli {

struct ContactSheet {
  std::string title;
  bilevel::Table images;             // R x (height * width), pixels row by row; each shown between its own extremes
  std::vector<std::int32_t> labels;  // R, ascending: images of a class stand side by side
  std::vector<std::string> class_names;
  Index height = 0;
  Index width = 0;
};

/// The sheet's script; its size in pixels follows from the images. Of a class with more than 40 images the first 40 are
/// shown. Throws InvalidInput for sizes that do not fit together.
Script contact_sheet_script(const ContactSheet& sheet);

}  // namespace bilevel::cli
