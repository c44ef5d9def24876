#include "bilevel/registry.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bilevel/bgs_opt.hpp"
#include "bilevel/dpbg.hpp"
#include "bilevel/first_order.hpp"
#include "bilevel/hg_ms.hpp"
#include "bilevel/hoag.hpp"
#include "bilevel/iaptt.hpp"
#include "bilevel/newton.hpp"
#include "bilevel/smbg.hpp"
#include "bilevel/soba.hpp"
#include "bilevel/spider.hpp"
#include "bilevel/stocbio.hpp"
#include "bilevel/storm.hpp"
#include "bilevel/unibio.hpp"

namespace bilevel {

namespace {

/// A method whose options struct is `Options` and whose constructor takes it.
template <class Method, class Options>
MethodEntry entry(std::string name, std::string summary, std::string source) {
  struct Bound {
    Options options;
    OptionTable table;
  };
  return {std::move(name), std::move(summary), std::move(source),
          [] {
            auto bound = std::make_shared<Bound>();
            bound->table = described(bound->options);
            return std::shared_ptr<OptionTable>(bound, &bound->table);
          },
          [](const std::map<std::string, std::string>& settings) -> std::unique_ptr<OuterMethod> {
            Options options;
            OptionTable table = described(options);
            for (const auto& [option, text] : settings) table.set(option, text);
            return std::make_unique<Method>(options);
          }};
}

}  // namespace

const std::vector<MethodEntry>& methods() {
  static const std::vector<MethodEntry> all{
      entry<Newton, NewtonOptions>(
          "newton", "solves the follower to rounding and moves the leader by Newton steps within a trust region",
          "[Nocedal and Wright 2006, chs. 4, 6]"),
      entry<Smbg, SmbgOptions>("smbg",
                               "k follower steps, then one leader step along the derivative of the follower's path",
                               "[BLPV25, Alg. SMBG]"),
      entry<Dpbg, DpbgOptions>("dpbg",
                               "descends in the leader and the follower's start together, and reports where it lingers",
                               "[BLPV25, Alg. DPBG]"),
      entry<BgsOpt, BgsOptOptions>(
          "bgs_opt",
          "warm-started and unrolled follower steps, and an implicit correction that makes the "
          "limit exact",
          "[AM22, Alg. 1]"),
      entry<HgMs, HgMsOptions>("hg_ms",
                               "selects the leader's best answer on the follower's manifold of minimisers, then "
                               "differentiates there",
                               "[HG-MS]"),
      entry<Hoag, HoagOptions>("hoag",
                               "solves the follower and the adjoint system to tolerance before each leader step",
                               "[Pedregosa 2016, Alg. 1]"),
      entry<Unibio, UnibioOptions>("unibio",
                                   "normalised steps with momentum, for a follower that is uniformly convex: its "
                                   "Hessian may vanish at its answer",
                                   "[UniBiO]"),
      entry<Soba, SobaOptions>("soba", "minibatches: follower, adjoint and leader move together",
                               "[Dagreou et al., NeurIPS 2022]"),
      entry<Saba, SabaOptions>("saba", "SOBA with a memory of gradients that takes the noise away",
                               "[Dagreou et al., NeurIPS 2022]"),
      entry<MaSoba, MaSobaOptions>("ma_soba", "SOBA with a moving average of the leader's direction",
                                   "[Chen et al., JMLR 2024]"),
      entry<StocBio, StocBioOptions>("stocbio", "minibatches: follower steps, then a Neumann series for the adjoint",
                                     "[Ji et al., ICML 2021]"),
      entry<Amigo, AmigoOptions>("amigo", "minibatches: warm-started loops for the follower and for the adjoint",
                                 "[Arbel and Mairal, ICLR 2022]"),
      entry<Ttsa, TtsaOptions>("ttsa", "minibatches: two step sizes that fall at different rates",
                               "[Hong et al., SIAM J. Optim. 2023]"),
      entry<Sustain, StormOptions>("sustain", "minibatches: corrected momentum and a random Neumann term",
                                   "[Khanduri et al., NeurIPS 2021]"),
      entry<Mrbo, StormOptions>("mrbo", "minibatches: corrected momentum and a Neumann series",
                                "[Yang et al., NeurIPS 2021]"),
      entry<Vrbo, VrboOptions>("vrbo", "minibatches: directions followed by differences, refreshed on all samples",
                               "[Yang et al., NeurIPS 2021]"),
      entry<Srba, SrbaOptions>("srba", "SOBA with directions followed by differences, refreshed on all samples",
                               "[Dagreou et al., AISTATS 2024]"),
      entry<F2sa, F2saOptions>("f2sa",
                               "gradients alone: two followers, one of them penalised by the leader's objective",
                               "[Kwon et al., ICML 2023]"),
      entry<Bome, BomeOptions>("bome", "gradients alone: f falls while the follower's suboptimality does",
                               "[Ye et al., NeurIPS 2022]"),
      entry<Meha, MehaOptions>("meha", "gradients alone: the follower's Moreau envelope as a penalty",
                               "[Liu et al., ICML 2024]"),
      entry<Iaptt, IapttOptions>("iaptt", "unrolls from a trained start and differentiates where f is worst on the way",
                                 "[Liu et al., NeurIPS 2021]"),
  };
  return all;
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& method : methods()) names.push_back(method.name);
  return names;
}

const MethodEntry& find_method(std::string_view name) {
  const auto& all = methods();
  const auto found = std::find_if(all.begin(), all.end(), [&](const MethodEntry& m) { return m.name == name; });
  if (found != all.end()) return *found;
  const auto nearest = nearest_name(name, method_names());
  throw InvalidOption(fmt::format("there is no method '{}'{}; the methods are {}", name,
                                  nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest),
                                  fmt::join(method_names(), ", ")));
}

std::unique_ptr<OuterMethod> make_method(std::string_view name, const std::map<std::string, std::string>& settings) {
  return find_method(name).make(settings);
}

}  // namespace bilevel
