#include "certificate_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "terminal/stream.hpp"
#include "terminal/table.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

std::string number(double value) { return fmt::format("{:.3g}", value); }

std::string sentence(std::string_view head, const std::string& text) {
  const auto width = std::min<std::size_t>(terminal_width(), 120);
  return fmt::format("{}{}\n", head, wrap_text(text, width, head.size()));
}

void add_selection(Table& table, const CertifiedSelection& s) {
  table.add_row(
      {"among the follower's answers", std::string(to_string(s.kind)),
       s.pieces > 0 ? fmt::format("{} with this f", s.pieces == 1 ? "no other" : fmt::format("{}", s.pieces)) : ""});
  if (s.curvature) table.add_row({"curvature of f along them", number(*s.curvature), number(s.curvature_scale)});
  if (s.kind == SelectionKind::kink) {
    table.add_row({"one-sided derivatives", number(s.least_slope), number(s.greatest_slope)});
  }
  if (s.better_by > 0) table.add_row({"a better answer's f is less by", number(s.better_by), ""});
}

nlohmann::ordered_json selection_json(const CertifiedSelection& s) {
  using Json = nlohmann::ordered_json;
  const auto known = [](bool holds, double value) {
    return holds && std::isfinite(value) ? Json(value) : Json(nullptr);
  };
  const bool kink = s.kind == SelectionKind::kink;
  return {{"kind", to_string(s.kind)},
          {"reason", s.reason},
          {"curvature", known(s.curvature.has_value(), s.curvature.value_or(0))},
          {"curvature_scale", known(s.curvature.has_value(), s.curvature_scale)},
          {"tilted", s.tilted},
          {"pieces", s.pieces > 0 ? Json(s.pieces) : Json(nullptr)},
          {"least_slope", known(kink, s.least_slope)},
          {"greatest_slope", known(kink, s.greatest_slope)},
          {"better_by", known(true, s.better_by)}};
}

}  // namespace

std::string certificate_text(const Certificate& c) {
  Table table({{"of the answer"}, {"value", Align::right}, {"against"}}, "Certificate");
  table.add_row({"verdict", std::string(to_string(c.verdict)), ""});
  table.add_row({"follower", std::string(to_string(c.follower)), ""});
  table.add_row({"follower's residual |g_y|", number(c.follower_residual), number(c.follower_scale)});
  table.add_row({"smallest eigenvalue of H", number(c.smallest_eigenvalue),
                 fmt::format("{} = |H|, error {:.1g}, {}", number(c.largest_eigenvalue), c.smallest_eigenvalue_error,
                             c.dense ? "all eigenvalues" : "by Lanczos")});
  if (c.kernel_dimension.value_or(1) > 0) {
    table.add_row({"dimension of H's kernel", c.kernel_dimension ? fmt::format("{}", *c.kernel_dimension) : "not known",
                   c.kernel_dimension ? "" : "it takes more products"});
  }
  if (c.kernel_dimension.value_or(0) > 0) {
    table.add_row({"f along the kernel |P f_y|", number(c.selection_residual), ""});
    table.add_row({"B' into the kernel |P B'|", number(c.morse_bott_residual), ""});
  }
  if (c.morse_bott) {
    table.add_row(
        {"Morse-Bott", std::string(to_string(c.morse_bott->verdict)), fmt::format("{} moves", c.morse_bott->samples)});
  }
  if (c.selection) add_selection(table, *c.selection);
  table.add_row({"adjoint |H w - f_y| / |f_y|", number(c.adjoint_residual), ""});
  table.add_row({"leader's residual |f_x - B w|", number(c.leader_residual),
                 fmt::format("{}, error {}", number(c.leader_scale),
                             std::isfinite(c.leader_residual_error) ? fmt::format("{:.1g}", c.leader_residual_error)
                                                                    : "not known")});
  if (c.leader_curvature) table.add_row({"leader's least curvature", number(*c.leader_curvature), ""});
  return table.to_string() + sentence("because  ", c.reason) + sentence("advice   ", c.advice);
}

nlohmann::ordered_json morse_bott_json(const MorseBott& r) {
  using Json = nlohmann::ordered_json;
  const auto finite = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  return {{"verdict", to_string(r.verdict)},
          {"reason", r.reason},
          {"kernel_dimension", r.kernel_dimension ? Json(*r.kernel_dimension) : Json(nullptr)},
          {"largest_zero", finite(r.largest_zero)},
          {"smallest_nonzero", finite(r.smallest_nonzero)},
          {"gap", finite(r.gap)},
          {"range_residual", finite(r.range_residual)},
          {"expected_dimension", r.expected_dimension},
          {"critical_dimension", r.critical_dimension ? Json(*r.critical_dimension) : Json(nullptr)},
          {"follows_leader", r.follows_leader ? Json(*r.follows_leader) : Json(nullptr)},
          {"kernel_residual", finite(r.kernel_residual)},
          {"kernel_order", r.kernel_order ? finite(*r.kernel_order) : Json(nullptr)},
          {"lojasiewicz", r.lojasiewicz ? finite(*r.lojasiewicz) : Json(nullptr)},
          {"radius", finite(r.radius)},
          {"samples", r.samples},
          {"unsettled", r.unsettled}};
}

nlohmann::ordered_json certificate_json(const Certificate& c) {
  using Json = nlohmann::ordered_json;
  const auto finite = [](double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  Json object{{"verdict", to_string(c.verdict)},
              {"follower", to_string(c.follower)},
              {"kernel_dimension", c.kernel_dimension ? Json(*c.kernel_dimension) : Json(nullptr)},
              {"follower_residual", finite(c.follower_residual)},
              {"smallest_eigenvalue", finite(c.smallest_eigenvalue)},
              {"adjoint_residual", finite(c.adjoint_residual)},
              {"selection_residual", finite(c.selection_residual)},
              {"leader_residual", finite(c.leader_residual)},
              {"leader_residual_error", finite(c.leader_residual_error)},
              {"fake", c.fake},
              {"advice", c.advice},
              {"reason", c.reason},
              {"follower_scale", finite(c.follower_scale)},
              {"smallest_eigenvalue_error", finite(c.smallest_eigenvalue_error)},
              {"largest_eigenvalue", finite(c.largest_eigenvalue)},
              {"morse_bott_residual", finite(c.morse_bott_residual)},
              {"leader_scale", finite(c.leader_scale)},
              {"leader_curvature", c.leader_curvature ? finite(*c.leader_curvature) : Json(nullptr)},
              {"upper_gradient_norm", finite(c.upper_gradient_norm)},
              {"dense", c.dense},
              {"products", c.products}};
  // Absent elsewhere, so that the results of other followers keep their keys.
  if (c.morse_bott) {
    object["morse_bott"] = morse_bott_json(*c.morse_bott);
    object["selection_equilibrium"] = c.selection_equilibrium;
  }
  if (c.selection) object["selection"] = selection_json(*c.selection);
  return object;
}

}  // namespace bilevel::cli
