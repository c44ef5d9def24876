#include "pictures/gnuplot.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string_view>
#include <system_error>

#include "bilevel/atomic_file.hpp"
#include "bilevel/status.hpp"
#include "pictures/child_process.hpp"

namespace bilevel::cli {

namespace {

/// What gnuplot said, in one line: "line 0: " stands before each error, and what it repeats of the script is left out.
std::string complaint(std::string_view error) {
  std::string said;
  while (!error.empty()) {
    const std::size_t end = std::min(error.find('\n'), error.size());
    std::string_view line = error.substr(0, end);
    error.remove_prefix(std::min(end + 1, error.size()));
    const std::size_t place = line.find("line ");
    const std::size_t colon = place == std::string_view::npos ? place : line.find(": ", place);
    if (colon == std::string_view::npos) continue;
    line.remove_prefix(colon + 2);
    if (line.starts_with("warning")) continue;
    if (!said.empty()) said += "; ";
    said += line;
  }
  constexpr std::size_t kLongest = 300;
  if (said.size() > kLongest) said = said.substr(0, kLongest) + " ...";
  return said.empty() ? "it gave no reason" : said;
}

bool has_signature(std::string_view picture, PictureFormat format) {
  return format == PictureFormat::png ? picture.starts_with("\x89PNG")
                                      : picture.find("</svg>") != std::string_view::npos;
}

constexpr std::string_view kSvgMark = "<!-- drawn by bilevel -->\n";
constexpr std::size_t kPngHeader = 33;  // signature and the chunk IHDR, which stands first

/// A PNG text chunk: length, type, keyword, zero, text, checksum of all but the length.
const std::string& png_mark() {
  using namespace std::string_literals;
  static const std::string mark = [] {
    const auto number = [](std::size_t value) {
      std::string bytes;
      for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xFF);
      return bytes;
    };
    const auto content = "tEXtSoftware\0drawn by bilevel"s;
    const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
    return number(content.size() - 4) + content + number(crc32(0, bytes, static_cast<uInt>(content.size())));
  }();
  return mark;
}

std::string with_mark(std::string picture, PictureFormat format) {
  if (format == PictureFormat::svg) return picture + std::string(kSvgMark);
  return picture.size() < kPngHeader ? picture : picture.insert(kPngHeader, png_mark());
}

}  // namespace

bool is_own_picture(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return false;
  std::ifstream stream(file, std::ios::binary);
  const auto holds = [&](std::streamoff offset, std::ios::seekdir from, std::string_view mark) {
    std::string found(mark.size(), '\0');
    stream.clear();
    stream.seekg(offset, from);
    stream.read(found.data(), static_cast<std::streamsize>(found.size()));
    return stream && found == mark;
  };
  return holds(kPngHeader, std::ios::beg, png_mark()) ||
         holds(-static_cast<std::streamoff>(kSvgMark.size()), std::ios::end, kSvgMark);
}

PictureFormat picture_format(const std::filesystem::path& target) {
  std::string ending = target.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".png") return PictureFormat::png;
  if (ending == ".svg") return PictureFormat::svg;
  throw InvalidInput(fmt::format("{}: a picture's name must end with .png or .svg", target.string()));
}

std::string script_text(const Script& script, PictureFormat format) {
  // The terminal takes texts as they are: names of games may hold _ ^ { } \ and @.
  std::string text = "set encoding utf8\n";
  text +=
      format == PictureFormat::png
          ? fmt::format("set terminal pngcairo noenhanced size {},{} font 'DejaVu Sans,13' background '#ffffff'\n",
                        script.width, script.height)
          : fmt::format(
                "set terminal svg noenhanced size {},{} font 'DejaVu Sans,13' fontscale 1.25 background '#ffffff'\n",
                script.width, script.height);
  for (const auto& block : script.data)
    text += fmt::format("${} << END_OF_DATA\n{}END_OF_DATA\n", block.name(), block.text());
  return text + script.commands;
}

void draw(const Script& script, const std::filesystem::path& target, const DrawOptions& options) {
  const PictureFormat format = picture_format(target);
  // -d: no settings of the user's own; the picture comes back on standard output, so that no file's name is in a
  // script.
  const auto child = run_child({options.program, "-d", "-"}, script_text(script, format), options.time_limit);
  switch (child.end) {
    case ChildResult::End::not_found:
      throw InvalidInput("pictures need gnuplot: install the package gnuplot-nox, or leave --plot out");
    case ChildResult::End::not_started:
      throw InvalidInput(fmt::format("{}: gnuplot could not be started ({})", target.string(), child.error));
    case ChildResult::End::timed_out:
      throw InvalidInput(fmt::format("{}: gnuplot was not done after {:.3g} seconds and was stopped", target.string(),
                                     std::chrono::duration<double>(options.time_limit).count()));
    case ChildResult::End::signalled:
      throw InvalidInput(fmt::format("{}: gnuplot was ended by signal {}", target.string(), child.code));
    case ChildResult::End::exited: break;
  }
  if (child.code != 0 || !has_signature(child.output, format)) {
    throw InvalidInput(
        fmt::format("{}: gnuplot could not draw the picture: {}", target.string(), complaint(child.error)));
  }
  write_atomically(target, with_mark(child.output, format));
}

}  // namespace bilevel::cli
