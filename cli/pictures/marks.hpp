// The drawing style that all pictures share: layers of a plot command, marks with an edge, titles and legends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::cli {

inline constexpr std::string_view kWhite = "#ffffff";

/// The elements of one plot command, from the back to the front.
class Layers {
 public:
  /// `what` is an element of a plot command without its title, e.g. "$path using 1:2 with lines"; a title of "" keeps
  /// it out of the legend.
  void add(std::string_view what, std::string_view title = "");
  /// Points of the block filled with `colour` inside a black outline.
  void add_outlined(std::string_view block, int filled, int outline, double size, std::string_view colour,
                    std::string_view title);
  /// `count` black dots with a white edge; small ones without an edge if they are too many to be told apart.
  void add_dots(std::string_view block, std::size_t count, std::string_view title);
  /// A golden star with a black edge.
  void add_star(std::string_view block, std::string_view title);

  /// How many entries the legend has.
  std::size_t titles() const { return titles_; }

  /// Also where there is nothing to plot: an empty frame.
  std::string plot_command() const;

 private:
  std::vector<std::string> elements_;
  std::size_t titles_ = 0;
};

/// The picture's title and, smaller below it, a line that may be empty.
std::string title_commands(std::string_view title, std::string_view subtitle);

/// A legend of `entries` under the plot, three or four rows high; without entries none, and no room for it.
std::string legend_below_commands(std::size_t entries);

}  // namespace bilevel::cli
