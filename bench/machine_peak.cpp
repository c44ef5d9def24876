#include "machine_peak.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

// The same set as the kernels, or the bound would not be theirs.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "machine_peak.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace machine_peak::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Enough to cover the latency of two units, few enough for 16 registers.
constexpr int kChains = 12;

/// Runs `steps` multiply-adds on each chain; returns the operations done and adds the results to *sink.
template <class T>
double run_chains(std::size_t steps, T* sink) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V factor = hn::Set(d, T(0.9990234375));
  const V term = hn::Set(d, *sink);
  V chains[kChains];
#pragma GCC unroll 16
  for (int k = 0; k < kChains; ++k) chains[k] = hn::Set(d, T(k));
  for (std::size_t i = 0; i < steps; ++i) {
#pragma GCC unroll 16
    for (int k = 0; k < kChains; ++k) chains[k] = hn::MulAdd(chains[k], factor, term);
  }
  V sum = hn::Zero(d);
#pragma GCC unroll 16
  for (int k = 0; k < kChains; ++k) sum = hn::Add(sum, chains[k]);
  *sink += hn::GetLane(sum) * T(1e-30);
  return 2.0 * kChains * static_cast<double>(hn::Lanes(d)) * static_cast<double>(steps);
}

double run_float(std::size_t steps, float* sink) { return run_chains(steps, sink); }
double run_double(std::size_t steps, double* sink) { return run_chains(steps, sink); }

template <class T>
double read_sum(const T* from, std::size_t size) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  for (std::size_t i = 0; i + 4 * lanes <= size; i += 4 * lanes) {
    s0 = hn::Add(s0, hn::Load(d, from + i));
    s1 = hn::Add(s1, hn::Load(d, from + i + lanes));
    s2 = hn::Add(s2, hn::Load(d, from + i + 2 * lanes));
    s3 = hn::Add(s3, hn::Load(d, from + i + 3 * lanes));
  }
  return static_cast<double>(hn::GetLane(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

double read_float(const float* from, std::size_t size) { return read_sum(from, size); }
double read_double(const double* from, std::size_t size) { return read_sum(from, size); }

const char* target_name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace machine_peak::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace machine_peak {

HWY_EXPORT(run_float);
HWY_EXPORT(run_double);
HWY_EXPORT(read_float);
HWY_EXPORT(read_double);
HWY_EXPORT(target_name);

static double run(std::size_t steps, float* sink) { return HWY_DYNAMIC_DISPATCH(run_float)(steps, sink); }
static double run(std::size_t steps, double* sink) { return HWY_DYNAMIC_DISPATCH(run_double)(steps, sink); }

static double read(const float* from, std::size_t size) { return HWY_DYNAMIC_DISPATCH(read_float)(from, size); }
static double read(const double* from, std::size_t size) { return HWY_DYNAMIC_DISPATCH(read_double)(from, size); }

/// Takes what a measurement computed, so that it cannot be optimised away.
static volatile double sink_of_all = 0.0;

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace machine_peak

template <class Real>
double measured_flops(bilevel::kernels::ThreadTeam& team, int tries) {
  constexpr std::size_t kSteps = 100000;
  std::vector<double> done(team.size());
  double best = 0.0;
  for (int i = 0; i < tries; ++i) {
    const double start = machine_peak::now();
    team.run([&](std::size_t k) {
      Real sink = Real(0.001);
      done[k] = machine_peak::run(kSteps, &sink);
      machine_peak::sink_of_all = static_cast<double>(sink);
    });
    const double seconds = machine_peak::now() - start;
    double all = 0.0;
    for (const double part : done) all += part;
    best = std::max(best, all / seconds);
  }
  return best;
}

template double measured_flops<float>(bilevel::kernels::ThreadTeam& team, int tries);
template double measured_flops<double>(bilevel::kernels::ThreadTeam& team, int tries);

template <class Real>
double measured_read_seconds(bilevel::kernels::ThreadTeam& team, const Real* memory, std::size_t size) {
  const std::size_t part = size / team.size() / 64 * 64;
  const double start = machine_peak::now();
  team.run([&](std::size_t k) {
    const std::size_t own = k + 1 == team.size() ? size - k * part : part;
    machine_peak::sink_of_all = machine_peak::read(memory + k * part, own);
  });
  return machine_peak::now() - start;
}

template double measured_read_seconds(bilevel::kernels::ThreadTeam& team, const float* memory, std::size_t size);
template double measured_read_seconds(bilevel::kernels::ThreadTeam& team, const double* memory, std::size_t size);

const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(machine_peak::target_name)(); }
#endif  // HWY_ONCE
