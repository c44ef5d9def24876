#include "pictures/marks.hpp"

#include <fmt/format.h>

#include "pictures/script.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

void Layers::add(std::string_view what, std::string_view title) {
  elements_.push_back(title.empty() ? fmt::format("{} notitle", what)
                                    : fmt::format("{} title {}", what, gnuplot_string(title)));
  if (!title.empty()) ++titles_;
}

void Layers::add_outlined(std::string_view block, int filled, int outline, double size, std::string_view colour,
                          std::string_view title) {
  // The legend can show one of the two: the outline, unless the colour is what tells the mark.
  const bool is_white = colour == kWhite;
  add(fmt::format("${} using 1:2 with points pt {} ps {} lc '{}'", block, filled, size, colour), is_white ? "" : title);
  add(fmt::format("${} using 1:2 with points pt {} ps {} lw 2 lc '#000000'", block, outline, size),
      is_white ? title : "");
}

void Layers::add_dots(std::string_view block, std::size_t count, std::string_view title) {
  constexpr std::size_t kTold = 100;
  if (count <= kTold) add(fmt::format("${} using 1:2 with points pt 7 ps 1.1 lc '{}'", block, kWhite));
  add(fmt::format("${} using 1:2 with points pt 7 ps {} lc '#000000'", block, count <= kTold ? 0.75 : 0.4), title);
}

void Layers::add_star(std::string_view block, std::string_view title) {
  add(fmt::format("${} using 1:2 with points pt '★' font ',34' tc '#000000'", block));
  add(fmt::format("${} using 1:2 with points pt '★' font ',24' tc '#f0c000'", block), title);
}

std::string Layers::plot_command() const {
  std::string command = "plot ";
  for (const auto& element : elements_) command += (command.size() > 5 ? ", \\\n  " : "") + element;
  return (elements_.empty() ? "plot NaN notitle" : command) + "\n";
}

std::string title_commands(std::string_view title, std::string_view subtitle) {
  constexpr std::size_t kTitleWidth = 70, kSubtitleWidth = 120;  // columns that fit a picture of the usual width
  std::string commands = fmt::format("set title {} font ',17' offset 0,{}\n",
                                     gnuplot_string(cut_to_width(title, kTitleWidth)), subtitle.empty() ? "0" : "1.2");
  if (!subtitle.empty()) {
    commands += fmt::format("set label 1 {} at graph 0.5,1.035 center textcolor '#404040'\nset tmargin 5\n",
                            gnuplot_string(cut_to_width(subtitle, kSubtitleWidth)));
  }
  return commands;
}

std::string legend_below_commands(std::size_t entries) {
  if (entries == 0) return "unset key\n";
  const int rows = entries <= 9 ? 3 : 4;
  return fmt::format(
      "set bmargin at screen {}\nset key at screen 0.5,{} center vertical maxrows {} Left reverse width 0 samplen 2.5 "
      "spacing 1.15\n",
      0.125 + 0.028 * rows, 0.012 + 0.0155 * rows, rows);
}

}  // namespace bilevel::cli
