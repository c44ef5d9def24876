#include "bilevel/hg_ms.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "methods/leader_turn.hpp"

namespace bilevel {

std::string_view to_string(ManifoldHypergradient kind) {
  return kind == ManifoldHypergradient::implicit ? "implicit" : "penalty";
}

HgMs::HgMs(HgMsOptions options) : options_(std::move(options)) { check_options(options_); }

OuterMethod::Needs HgMs::needs() const {
  OracleSet lower = Oracle::value | Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy;
  if (options_.hypergradient == ManifoldHypergradient::penalty) lower = lower | Oracle::grad_x;
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y, lower};
}

std::unique_ptr<OuterMethod::State> HgMs::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>(options_.seed);
  state->x = problem.x0;
  state->y = problem.y0;
  return state;
}

bool HgMs::must_explore(const State& state) const {
  return state.explored_x.size() == 0 || state.since_explored >= options_.explore_every ||
         norm(state.x - state.explored_x) > options_.explore_move * (1 + norm(state.x));
}

SelectionReport HgMs::answer(const BilevelProblem& problem, State& state) const {
  const auto select = [&](bool explore) {
    return select_on_manifold(problem, state.x, state.y, options_.selection, state.random, state.memory, explore);
  };
  const bool explore = must_explore(state);
  auto report = select(explore);
  if (!explore && report.status != Status::nonfinite) {
    const bool jumped = report.status == Status::converged &&
                        norm(report.pieces[0].y - state.y) > options_.explore_jump * (1 + norm(state.y));
    if (jumped || report.saddle || report.status == Status::lower_failed) {
      const Index steps = report.lower_steps;
      report = select(true);
      report.lower_steps += steps;
    }
  }
  if (report.status != Status::converged || options_.hypergradient == ManifoldHypergradient::implicit) return report;
  auto penalty = penalty_hypergradient(problem, state.x, report.pieces[0].y,
                                       {.selection = options_.selection.selection,
                                        .weight = options_.penalty_weight,
                                        .extrapolate = options_.penalty_extrapolate});
  report.lower_steps += penalty.lower_steps;
  report.status = penalty.status;
  report.message = std::move(penalty.message);
  report.pieces[0].gradient = std::move(penalty.gradient);
  return report;
}

StepReport HgMs::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  constexpr int kRetreats = 8;  // of the leader, each to a tenth of its move
  auto& state = dynamic_cast<State&>(base);

  auto selection = answer(problem, state);  // y* and G at x
  for (int i = 0; i < kRetreats && selection.status == Status::nonfinite; ++i) {
    if (!leader_retreat(options_.leader, state.leader, state.x)) break;
    selection = answer(problem, state);
  }

  StepReport report;
  report.lower_steps = selection.lower_steps;
  report.status = selection.status;
  report.message = selection.message;
  if (report.status != Status::converged) return report;
  const auto& piece = selection.pieces.front();
  report.upper = piece.upper;
  report.lower = piece.lower;
  report.lower_residual = piece.lower_residual;
  report.hypergradient_norm = norm(piece.gradient);

  ++state.since_explored;
  if (selection.explored) {
    state.since_explored = 0;
    state.explored_x = state.x;
    state.kernel_dimension = selection.kernel_dimension;
    state.intrinsic_curvature = selection.intrinsic_curvature;
    state.degenerate = selection.degenerate;
    state.gap = selection.gap;
    ++state.explorations;
    if (selection.switched) ++state.switches;
  }
  if (selection.kink) ++state.kink_steps;

  move_leader(options_.leader, piece.gradient, piece.upper, piece.y, state, report);
  state.selection = std::move(selection);
  return report;
}

std::vector<Finding> HgMs::findings(const OuterMethod::State& base) const {
  const auto& state = dynamic_cast<const State&>(base);
  std::vector<Finding> all;
  if (state.iteration == 0) return all;
  const auto& last = state.selection;
  if (state.kernel_dimension) {
    all.push_back(
        {"kernel_dimension", static_cast<double>(*state.kernel_dimension),
         *state.kernel_dimension == 0
             ? std::string("the follower's minimiser is isolated")
             : fmt::format("the follower's minimisers form a manifold of dimension {}", *state.kernel_dimension)});
  }
  const auto& piece = last.pieces.front();
  all.push_back({"selection_residual", piece.selection_residual,
                 fmt::format("f is stationary along the follower's minimisers up to |P_ker f_y| = {:.2g}",
                             piece.selection_residual)});
  if (state.gap) {
    all.push_back({"selection_gap", *state.gap,
                   fmt::format("the second best answer that was polished has an f worse by {:.3g}", *state.gap)});
  }
  if (last.explored) {
    const bool optimistic = options_.selection.selection == ManifoldSelection::optimistic;
    all.push_back({"opposite_value", last.opposite,
                   fmt::format("among all minimisers seen the {} f is {:.4g}", optimistic ? "greatest" : "least",
                               last.opposite)});
  }
  if (state.intrinsic_curvature) {
    all.push_back(
        {"intrinsic_curvature", *state.intrinsic_curvature,
         fmt::format("along the follower's minimisers f curves by {:.3g} at the least", *state.intrinsic_curvature)});
  }
  if (state.degenerate) {
    all.push_back({"degenerate_selection", 1,
                   "the selected answer is degenerate along the manifold: expect the leader's value to be Hoelder "
                   "continuous only"});
  }
  if (last.kink) {
    all.push_back({"kink_suspected", static_cast<double>(last.pieces.size()),
                   fmt::format("{} answers tie with different gradients: the leader's value has a kink here",
                               last.pieces.size())});
  }
  all.push_back({"selection_switches", static_cast<double>(state.switches),
                 fmt::format("{} of {} explorations found a better answer than the tracked one", state.switches,
                             state.explorations)});
  return all;
}

void describe(OptionTable& table, HgMsOptions& options) {
  describe(table, options.selection);
  table
      .add("explore-every", options.explore_every, "explore again after this many leader steps without",
           between(1, 1e9))
      .add("explore-move", options.explore_move, "explore again when x has moved by this times 1 + |x|", at_least(0))
      .add("explore-jump", options.explore_jump,
           "explore again when the answer has moved by this times 1 + |y| in one step", at_least(0))
      .add("exploration-seed", options.seed, "of the exploration's random numbers");
  table.group("Hypergradient")
      .add("differentiation", options.hypergradient,
           "implicit solves H w = f_y on the range of H; penalty takes differences of g_x at minimisers of g and g + s "
           "f",
           {{"implicit", ManifoldHypergradient::implicit}, {"penalty", ManifoldHypergradient::penalty}})
      .add("penalty-weight", options.penalty_weight, "s of the penalty form, in units of g / f",
           greater_than(0) & at_most(1e6))
      .add("penalty-extrapolate", options.penalty_extrapolate,
           "2 G(s/2) - G(s), which removes the bias that is linear in s");
  describe(table, options.leader);
}

}  // namespace bilevel
