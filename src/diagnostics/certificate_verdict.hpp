// From the certificate's numbers to its verdict, reason and advice.
#pragma once

#include <string>

#include "bilevel/certificate.hpp"

namespace bilevel {

/// The numbers with what is needed to judge them; `c` holds those that users see.
struct Examination {
  Certificate c;
  std::string not_finite;  // what was not finite; empty: everything was
  double tolerance = 0;    // the one asked for, or what the noise allows
  double noise = 0;        // relative error of the products
  bool follower_critical = false;
  bool corrected = false;  // y is critical after one Newton correction only
  double correction = 0;   // length of that correction
  bool spectrum_settled = false;
  Index eigenvalue_products = 0;
  double convexity = 0;  // what H's eigenvalues are known to exceed, where that stood in for Lanczos; else 0
  Index kernel_found = 0;
  double cut = 0;  // eigenvalues up to this in size count as zero
  double selection_scale = 0, morse_bott_scale = 0;
  double morse_bott_floor = 0;   // |P_ker B'| up to this is rounding
  bool kernel_examined = false;  // g was followed along the kernel
  bool kernel_falls = false;
  Index kernel_directions = 0;
  double contradiction = 0;  // a Rayleigh quotient clearly below what Lanczos found; 0: none
  bool curvature_asked = false;
  double curvature_error = 0, curvature_size = 0;
  bool upper_critical = false;  // grad f ~ 0

  bool leader_small() const { return c.leader_residual <= tolerance * c.leader_scale; }
  bool leader_error_small() const { return c.leader_residual_error <= tolerance * c.leader_scale; }
};

/// Sets c.follower from everything but the leader's numbers.
void judge_follower(Examination& e);

/// Sets c.verdict, c.fake, c.reason and c.advice; judge_follower was called.
void judge(Examination& e);

}  // namespace bilevel
