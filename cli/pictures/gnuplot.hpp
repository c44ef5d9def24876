// Draws a Script with gnuplot into a PNG or SVG file.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "pictures/script.hpp"

namespace bilevel::cli {

enum class PictureFormat { png, svg };

/// By the ending of the target's name; InvalidInput for any other than .png and .svg.
PictureFormat picture_format(const std::filesystem::path& target);

/// Whether the file is a picture that draw() wrote: each holds the words "drawn by bilevel", a PNG as its text chunk
/// Software, an SVG in a comment at its end. False for a file that cannot be read.
bool is_own_picture(const std::filesystem::path& file);

/// All that gnuplot reads: terminal, data, commands.
std::string script_text(const Script& script, PictureFormat format);

struct DrawOptions {
  std::string program = "gnuplot";
  std::chrono::milliseconds time_limit{60'000};
};

/// Writes the picture with its mark, complete or not at all: an earlier file stays until the new one is finished.
/// Throws InvalidInput when the target has another ending or cannot be written, when gnuplot is missing, takes longer
/// than the time limit, or fails, then with what it said.
void draw(const Script& script, const std::filesystem::path& target, const DrawOptions& options = {});

}  // namespace bilevel::cli
