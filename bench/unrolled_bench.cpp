#include "unrolled_bench.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "bilevel/hypergradient.hpp"
#include "bilevel/linear_models.hpp"
#include "bilevel/random.hpp"
#include "machine_peak.hpp"

namespace {

using namespace bilevel;

constexpr std::size_t kRows = 20000, kTrusted = 5000, kFeatures = 784, kClasses = 10;
constexpr Index kSteps = 100;
constexpr int kRepetitions = 5;

FeatureMatrix random_rows(std::size_t rows, Random& random, Precision precision) {
  return FeatureMatrix::dense(
      rows, kFeatures,
      [&](std::size_t, std::span<double> features) {
        for (auto& value : features) value = random.uniform();
      },
      precision);
}

std::vector<std::int32_t> random_labels(std::size_t rows, Random& random) {
  std::vector<std::int32_t> labels(rows);
  for (auto& label : labels) label = static_cast<std::int32_t>(random.below(kClasses));
  return labels;
}

/// The cleaning problem on random rows: the cost of a pass does not depend on the values.
BilevelProblem cleaning_problem(Precision precision, std::size_t threads) {
  Random random(1);
  const LinearModelOptions model{.classes = kClasses, .intercept = true, .threads = threads};
  BilevelProblem problem;
  const auto train = random_rows(kRows, random, precision);
  problem.lower = training_objective(train, random_labels(kRows, random),
                                     {.model = model, .row_weights = true, .regularization = 1e-3});
  const auto trusted = random_rows(kTrusted, random, precision);
  problem.upper = validation_objective(trusted, random_labels(kTrusted, random), model, static_cast<Index>(kRows));
  problem.x0 = Vec::Zero(static_cast<Index>(kRows));
  problem.y0 = Vec::Zero(problem.dim_y());
  return problem;
}

GradientDescentMap stable_map(const BilevelProblem& problem) {
  const auto curvature = measure_curvature(problem.lower->linearize(problem.x0, problem.y0), problem.dim_y());
  return GradientDescentMap(*problem.lower, 0.9 / curvature.largest);
}

void differentiate(const BilevelProblem& problem, const GradientDescentMap& map, MemoryPlan plan, Index steps) {
  const auto result = unrolled(problem, map, problem.x0, problem.y0, UnrolledOptions{.steps = steps, .memory = plan});
  if (result.status != Status::converged) throw std::runtime_error(result.message);
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// `products` thin products a step: four in the reverse sweep's plan that keeps everything.
template <class Real>
BenchRow time_plan(MemoryPlan plan, Precision precision, std::size_t threads) {
  const auto problem = cleaning_problem(precision, threads);
  const auto map = stable_map(problem);
  kernels::ThreadTeam team(threads);
  std::vector<double> seconds, peaks;
  for (int i = 0; i < kRepetitions; ++i) {
    peaks.push_back(measured_flops<Real>(team, 8));
    const double start = now();
    differentiate(problem, map, plan, kSteps);
    seconds.push_back(now() - start);
    peaks.push_back(measured_flops<Real>(team, 8));
  }
  const double flops = 4.0 * static_cast<double>(kSteps) * 2.0 * static_cast<double>(kRows * kFeatures * kClasses);
  BenchRow row{fmt::format("unrolled hypergradient K=100 {} {} {}t", to_string(plan), to_string(precision), threads),
               median(seconds), flops / median(peaks), 0.0};
  row.share = row.bound_seconds / row.seconds;
  return row;
}

double peak_memory(const std::string& self, MemoryPlan plan, Index steps) {
  const auto command = fmt::format("'{}' --unrolled-memory {} {}", self, to_string(plan), steps);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::array<char, 64> line{};
  if (!pipe || !std::fgets(line.data(), static_cast<int>(line.size()), pipe.get())) {
    throw std::runtime_error("cannot start " + self + " to measure memory");
  }
  return std::stod(line.data());
}

}  // namespace

std::vector<BenchRow> bench_unrolled(const std::string& self) {
  std::vector<BenchRow> rows;
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    rows.push_back(time_plan<float>(MemoryPlan::store, Precision::float32, threads));
    rows.push_back(time_plan<double>(MemoryPlan::store, Precision::float64, threads));
  }
  rows.push_back(time_plan<float>(MemoryPlan::checkpoint, Precision::float32, 1));
  for (const auto plan : {MemoryPlan::store, MemoryPlan::checkpoint}) {
    for (const Index steps : {Index{25}, kSteps}) {
      BenchRow row{fmt::format("unrolled hypergradient K={} {} float32, whole process", steps, to_string(plan))};
      row.peak_mebibytes = peak_memory(self, plan, steps);
      rows.push_back(row);
    }
  }
  return rows;
}

int measure_unrolled_memory(const std::string& plan, long steps) {
  const auto problem = cleaning_problem(Precision::float32, 1);
  differentiate(problem, stable_map(problem), plan == "store" ? MemoryPlan::store : MemoryPlan::checkpoint, steps);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{:.1f}\n", static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}
