// The drawing style that all pictures share: layers of a plot command, marks with an edge, titles and legends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bilevel::cli {

/// The elements of one plot command, from the back to the front.
class Layers {
 public:
  /// `what` is an element of a plot command without its title, e.g. "$path using 1:2 with lines"; a title of "" keeps
  /// it out of the legend.
  void add(std::string_view what, std::string_view title = "");
  /// Points of the block filled with `colour` inside a black outline.
  void add_outlined(std::string_view block, int filled, int outline, double size, std::string_view colour,
                    std::string_view title);
  /// Black dots with a white edge.
  void add_dots(std::string_view block, std::string_view title);
  /// A golden star with a black edge.
  void add_star(std::string_view block, std::string_view title);

  /// Also where there is nothing to plot: an empty frame.
  std::string plot_command() const;

 private:
  std::vector<std::string> elements_;
};

/// The picture's title and, smaller below it, a line that may be empty.
std::string title_commands(std::string_view title, std::string_view subtitle);

/// A legend in rows under the plot.
std::string legend_below_commands();

}  // namespace bilevel::cli
