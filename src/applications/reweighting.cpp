#include "bilevel/reweighting.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "applications/labelled_rows.hpp"
#include "applications/reweighting_fit.hpp"
#include "bilevel/hoag.hpp"
#include "bilevel/mixture.hpp"
#include "bilevel/registry.hpp"

namespace bilevel {

namespace {

constexpr double kLogRange = 10;  // of logits and of log c / first c: weights differ by at most e^20

std::unique_ptr<OuterMethod> method_of(const ReweightingOptions& options, double lower_tolerance) {
  const std::string rule(to_string(options.outer)), tolerance = fmt::format("{}", options.adjoint_tolerance);
  const std::string automatic = options.hidden > 0 ? "bgs_opt" : "hoag";
  const auto& method = options.method == "auto" ? automatic : options.method;
  if (method == "smbg") {
    return make_method("smbg", {{"hypergradient", "implicit"}, {"cg-tolerance", tolerance}, {"outer", rule}});
  }
  if (method == "bgs_opt") return make_method("bgs_opt", {{"adjoint-tolerance", tolerance}, {"outer", rule}});
  if (method == "hg_ms") return make_method("hg_ms", {{"outer", rule}});
  return std::make_unique<Hoag>(HoagOptions{.lower_tolerance = std::clamp(lower_tolerance, 1e-14, 0.1),
                                            .lower_iterations = 500,
                                            .adjoint_tolerance = options.adjoint_tolerance,
                                            .lowest = -kLogRange,
                                            .highest = kLogRange,
                                            .leader = {.rule = options.outer},
                                            .interrupt = options.stop.interrupt});
}

bool single_class(const std::vector<std::int32_t>& labels) {
  return std::set<std::int32_t>(labels.begin(), labels.end()).size() < 2;
}

void check(const ReweightingData& data) {
  if (data.classes < 2) throw InvalidInput(fmt::format("reweighting needs at least two classes, not {}", data.classes));
  if (data.sources.size() < 2) {
    throw InvalidInput(
        fmt::format("reweighting needs at least two sources, not {}: a single one has weight 1", data.sources.size()));
  }
  const auto features = data.valid.features.features();
  std::set<std::string> names;
  std::vector<std::int32_t> all;
  for (const auto& source : data.sources) {
    if (!names.insert(source.name).second) {
      throw InvalidInput(fmt::format("two sources are named '{}'", source.name));
    }
    check_labelled_rows(fmt::format("source '{}'", source.name), source.rows, features, data.classes);
    all.insert(all.end(), source.rows.labels.begin(), source.rows.labels.end());
  }
  check_labelled_rows("validation", data.valid, features, data.classes);
  if (data.test) check_labelled_rows("test", *data.test, features, data.classes);
  if (single_class(all)) throw InvalidInput("all sources together hold a single class: there is nothing to learn");
  if (single_class(data.valid.labels)) {
    throw InvalidInput("the validation rows are all of one class: they cannot tell good sources from bad ones");
  }
}

Vec size_logits(const ReweightingData& data) {
  Vec logits(static_cast<Index>(data.sources.size()));
  for (Index k = 0; k < logits.size(); ++k) {
    logits[k] = std::log(static_cast<double>(data.sources[static_cast<std::size_t>(k)].rows.labels.size()));
  }
  return logits;
}

Certificate certify_weights(const BilevelProblem& problem, const RunResult& run, double lower_tolerance) {
  // The follower was fitted that far: finer scales say nothing.
  auto certificate = certify(problem, run.best_x, run.best_y,
                             {.tolerance = lower_tolerance, .eigenvalue_products = 300, .solve_products = 200});
  const bool stopped = run.status == Status::stagnated || run.status == Status::budget_reached;
  if (certificate.verdict == Verdict::not_converged && stopped) {
    certificate.advice =
        "this is intended: the run ends when the target's loss hardly falls any more, and a source without any use has "
        "its best weight at 0, which no logit reaches; for a converged answer use --improvement 0 and more "
        "--max-iterations";
  }
  return certificate;
}

class Reweighter {
 public:
  Reweighter(const ReweightingData& data, const ReweightingOptions& options,
             const std::function<void(std::string_view)>& on_stage)
      : data_(data),
        options_(options),
        on_stage_(on_stage),
        fitter_(data, options),
        count_(static_cast<Index>(data.sources.size())),
        result_(fitter_.network()) {}

  ReweightingResult reweight(const std::vector<Observer*>& observers) {
    const auto method = method_of(options_, fitter_.tolerance());
    stage("training on uniform weights");
    auto uniform = fitter_.fit_best(Vec::Zero(count_));
    result_.first_c = uniform.regularization;
    auto problem = reweighting_problem(data_, options_, result_.first_c, learns_c());
    problem.y0 = uniform.y;
    stage("weighing");
    result_.run = run(problem, *method, options_.stop, observers);
    if (interrupted() && result_.run.status != Status::interrupted) {  // a follower cut short can look converged
      result_.run.status = Status::interrupted;
      result_.run.message = fmt::format("stopped by the user after step {}", result_.run.iterations);
    }
    finish();
    if (options_.certificate && !interrupted()) {
      stage("certifying");
      result_.certificate = certify_weights(problem, result_.run, relative_tolerance(options_));
    }
    if (options_.comparators) compare(std::move(uniform));
    warn();
    return std::move(result_);
  }

 private:
  void stage(std::string_view name) const {
    if (on_stage_) on_stage_(name);
  }
  bool interrupted() const { return options_.stop.interrupt && options_.stop.interrupt->load(); }
  bool learns_c() const { return !options_.regularization && options_.hidden == 0; }

  void finish() {
    const Vec& x = result_.run.best_x;
    const double c = learns_c() ? result_.first_c * std::exp(x[count_]) : result_.first_c;
    if (learns_c()) {
      result_.run.choices.push_back({"regularization", "auto", fmt::format("{:.3g}", c),
                                     fmt::format("moved with the weights, from {:.3g}, the best of a grid with uniform "
                                                 "weights",
                                                 result_.first_c)});
    }
    stage("training on the learned weights");
    result_.learned = options_.hidden > 0 ? fitter_.fit_best(x.head(count_)) : fitter_.fit(x.head(count_), c);
    fitter_.judge_test(result_.learned);
  }

  void compare(WeighedModel uniform) {
    fitter_.judge_test(uniform);
    result_.uniform = std::move(uniform);
    if (interrupted()) return;
    stage("training on weights by size");
    auto by_size = fitter_.fit_best(size_logits(data_));
    if (interrupted()) return;
    fitter_.judge_test(by_size);
    result_.by_size = std::move(by_size);
    stage("training on the target's rows alone");
    auto target = fitter_.fit_target();
    if (interrupted()) return;
    fitter_.judge_test(target);
    result_.target_only = std::move(target);
  }

  /// What speaks against the result, seen without a look at the test rows.
  void warn() {
    constexpr std::size_t kRowsForEach = 10;
    const auto rows = data_.valid.labels.size();
    if (rows < kRowsForEach * data_.sources.size()) {
      result_.warnings.push_back(fmt::format(
          "{} validation rows weigh {} sources: the weights follow these rows' peculiarities; give at least {}", rows,
          data_.sources.size(), kRowsForEach * data_.sources.size()));
    }
    if (result_.target_only && result_.target_only->valid_loss < result_.learned.valid_loss) {
      result_.warnings.push_back(fmt::format(
          "a model trained on the {} validation rows alone has a lower loss on rows of theirs that it has not seen "
          "({:.3g}) than any mixture of the sources has on them ({:.3g}): the sources are of little use for this "
          "target; collect more rows of it, or give some of them as a source of their own",
          rows, result_.target_only->valid_loss, result_.learned.valid_loss));
    }
  }

  const ReweightingData& data_;
  const ReweightingOptions& options_;
  const std::function<void(std::string_view)>& on_stage_;
  MixtureFitter fitter_;
  Index count_;
  ReweightingResult result_;
};

}  // namespace

std::optional<double> ReweightingResult::margin() const {
  if (!learned.test_accuracy || !uniform || !by_size || !target_only) return {};
  return *learned.test_accuracy -
         std::max({*uniform->test_accuracy, *by_size->test_accuracy, *target_only->test_accuracy});
}

void check_reweighting(const ReweightingData& data, const ReweightingOptions& options) {
  check_options(options);
  check(data);
}

BilevelProblem reweighting_problem(const ReweightingData& data, const ReweightingOptions& options, double c,
                                   bool learn_c) {
  check_reweighting(data, options);
  const auto network = reweighting_network(data, options);
  std::vector<std::shared_ptr<const Objective>> sources;
  for (const auto& source : data.sources) sources.push_back(rows_loss(network, source.rows, 0, options.threads));
  BilevelProblem problem;
  problem.name = "reweighting";
  problem.lower = mixture(std::move(sources), {.regularization = c, .learn_regularization = learn_c});
  problem.upper = rows_loss(network, data.valid, problem.lower->dim_x(), options.threads);
  problem.x0 = Vec::Zero(problem.lower->dim_x());
  problem.y0 = network.start(options.seed);
  return problem;
}

ReweightingResult reweight(const ReweightingData& data, const ReweightingOptions& options,
                           const std::vector<Observer*>& observers,
                           const std::function<void(std::string_view)>& on_stage) {
  check_reweighting(data, options);
  return Reweighter(data, options, on_stage).reweight(observers);
}

}  // namespace bilevel
