#include "pictures/contact_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bilevel/status.hpp"

namespace bilevel::cli {

namespace {

constexpr Index kMostColumns = 40;
constexpr Index kGap = 2;  // pixels between images

/// Where an image goes on the sheet.
struct Place {
  Index image, row, column;
};

struct Layout {
  std::vector<Place> places;
  std::vector<std::int32_t> row_labels;
  Index columns = 0;
};

Layout lay_out(const std::vector<std::int32_t>& labels) {
  Layout layout;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool same = !layout.row_labels.empty() && layout.row_labels.back() == labels[i];
    if (!same) layout.row_labels.push_back(labels[i]);
    const Index column = same ? layout.places.back().column + 1 : 0;
    if (column >= kMostColumns) continue;
    layout.places.push_back({static_cast<Index>(i), static_cast<Index>(layout.row_labels.size()) - 1, column});
    layout.columns = std::max(layout.columns, column + 1);
  }
  return layout;
}

}  // namespace

Script contact_sheet_script(const ContactSheet& sheet) {
  if (sheet.height < 1 || sheet.width < 1 || sheet.images.cols() != sheet.height * sheet.width ||
      sheet.images.rows() != static_cast<Index>(sheet.labels.size()) || sheet.labels.empty()) {
    throw InvalidInput(
        fmt::format("a contact sheet needs images of {} x {} pixels with a label each, but got {} x {} and {} labels",
                    sheet.height, sheet.width, sheet.images.rows(), sheet.images.cols(), sheet.labels.size()));
  }
  const auto layout = lay_out(sheet.labels);
  const auto rows = static_cast<Index>(layout.row_labels.size());
  const Index cell_height = sheet.height + kGap, cell_width = sheet.width + kGap;
  constexpr double kPaper = 1;  // between images, as light as the lightest pixel
  bilevel::Table pixels = bilevel::Table::Constant(rows * cell_height, layout.columns * cell_width, kPaper);
  for (const auto& [image, row, column] : layout.places) {
    const auto grey = sheet.images.row(image);
    const double low = grey.minCoeff(), high = grey.maxCoeff();
    if (!is_drawable(low) || !is_drawable(high)) continue;
    for (Index i = 0; i < sheet.height; ++i) {
      for (Index j = 0; j < sheet.width; ++j) {
        const double value = grey[i * sheet.width + j];
        pixels(row * cell_height + i, column * cell_width + j) = high > low ? (value - low) / (high - low) : 0.5;
      }
    }
  }
  Script script;
  DataBlock block("sheet");
  for (Index i = 0; i < pixels.rows(); ++i) {
    block.row(std::vector<double>(pixels.row(i).begin(), pixels.row(i).end()));
  }
  script.data.push_back(std::move(block));
  std::string names;
  for (Index row = 0; row < rows; ++row) {
    const auto label = static_cast<std::size_t>(layout.row_labels[static_cast<std::size_t>(row)]);
    const auto name = label < sheet.class_names.size() ? sheet.class_names[label] : fmt::format("{}", label);
    names += fmt::format("{}{} {}", row > 0 ? ", " : "", gnuplot_tic(name),
                         number(static_cast<double>(row * cell_height) + 0.5 * static_cast<double>(sheet.height)));
  }
  // Two screen pixels for one of a small image.
  const double zoom = std::clamp(1000.0 / static_cast<double>(pixels.cols()), 1.0, 3.0);
  constexpr int kLeft = 150, kRight = 20, kTop = 50, kBottom = 20;
  const int width = static_cast<int>(zoom * static_cast<double>(pixels.cols()));
  const int height = static_cast<int>(zoom * static_cast<double>(pixels.rows()));
  script.width = width + kLeft + kRight;
  script.height = height + kTop + kBottom;
  script.commands = fmt::format(
      "set title {}\nset palette gray\nset cbrange [0:1]\nunset colorbox\nunset key\nunset border\nunset xtics\n"
      "set ytics scale 0 ({})\nset xrange [-0.5:{}]\nset yrange [{}:-0.5]\n"
      "set lmargin at screen {}\nset rmargin at screen {}\nset bmargin at screen {}\nset tmargin at screen {}\n"
      "plot $sheet matrix with image\n",
      gnuplot_string(sheet.title), names, number(static_cast<double>(pixels.cols()) - 0.5),
      number(static_cast<double>(pixels.rows()) - 0.5), number(static_cast<double>(kLeft) / script.width),
      number(1 - static_cast<double>(kRight) / script.width), number(static_cast<double>(kBottom) / script.height),
      number(1 - static_cast<double>(kTop) / script.height));
  return script;
}

}  // namespace bilevel::cli
