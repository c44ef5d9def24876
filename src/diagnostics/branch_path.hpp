// Points of a curve of critical points over a line of leaders, and Newton's method onto it.
#pragma once

#include <Eigen/Core>

#include "bilevel/branches.hpp"

namespace bilevel {

/// What the steps of following share. Must not outlive what it was made of.
struct BranchTask {
  const Objective& lower;
  const LeaderLine& line;
  const Box& box;
  const BranchOptions& options;
  Vec direction;  // to - from
  double size;    // of y: the box's diameter; distances in y are told against it
};

/// A critical point (t, y) with what is known about its neighbourhood.
struct PathPoint {
  double t = 0;
  Vec y;                    // R^m
  Vec drive;                // R^m, B' (to - from): how fast g_y changes with t
  Vec slope;                // R^m, dy/dt = -H^-1 drive; not finite where H is singular
  Vec eigenvalues;          // of H, ascending
  Eigen::MatrixXd vectors;  // its eigenvectors, by columns
  Index index = 0;          // negative eigenvalues, whatever their size
  Index nearest = 0;        // which eigenvalue is nearest to 0
  double value = 0;         // g

  double smallest() const { return eigenvalues[nearest]; }
  double largest() const { return eigenvalues.cwiseAbs().maxCoeff(); }
  bool finite() const { return y.allFinite() && slope.allFinite() && eigenvalues.allFinite(); }
};

/// Everything about (t, y), which is taken as it is. Not finite() where the oracles' answers are not.
PathPoint path_point(const BranchTask& task, double t, const Vec& y);

/// y between two points of one curve by the cubic through both and their slopes.
Vec interpolated(const PathPoint& a, const PathPoint& b, double t);

struct Correction {
  bool converged = false;
  Vec y;
  double first = 0;        // length of the first step
  double contraction = 0;  // second over first step; 0 if the first was enough
};

/// Newton's method on g_y(x(t), .) = 0 from `guess`. With `frozen` > 0 it leaves y as it is along eigenvectors whose
/// |eigenvalue| is at most frozen |H|: there, near a singular point, the guess is better than a division by rounding.
Correction correct(const BranchTask& task, double t, const Vec& guess, double frozen = 0);

}  // namespace bilevel
