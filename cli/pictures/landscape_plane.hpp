// The plane of a landscape: which (x, y) a place of the picture stands for, and where a point is drawn.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pictures/landscape.hpp"

namespace bilevel::cli {

class LandscapePlane {
 public:
  /// Checks the landscape, as landscape_script's docstring says. It must outlive the plane.
  explicit LandscapePlane(const Landscape& landscape);

  Range across, up;  // what the axes show

  /// The point that is drawn at this place.
  PlottedPoint at(double horizontal, double vertical) const;
  double across_of(const Vec& x) const;
  double across_of_t(double t) const;
  double up_of(const Vec& y) const { return y[landscape_->coordinate]; }

  /// Whether a point is drawn somewhere else than where it is.
  bool is_projected(const PlottedPoint& point) const;

  std::string across_title() const;
  std::string up_title() const;
  /// "slice of g at y1 = 0.5, y3 = 0", empty if m = 1.
  std::string slice_text() const;

  /// phi at the centres of columns * rows cells, row by row from below.
  std::vector<double> evaluate(const Objective& phi, Index columns, Index rows) const;

 private:
  const Landscape* landscape_;
  Vec slice_;
};

}  // namespace bilevel::cli
