// What this machine can do right now: the bounds that the benchmarks compare with.
#pragma once

#include <cstddef>

#include "kernels/thread_team.hpp"

/// Floating-point operations per second (a fused multiply-add counts as two) of Real = float or double, all threads of
/// the team together: independent chains on the widest registers, touching no memory. Best of `tries` runs of about a
/// quarter of a millisecond each.
template <class Real>
double measured_flops(bilevel::kernels::ThreadTeam& team, int tries);

/// Seconds in which the team reads `size` Reals from `memory` (64-byte aligned) once through, each thread its part.
template <class Real>
double measured_read_seconds(bilevel::kernels::ThreadTeam& team, const Real* memory, std::size_t size);

/// The instruction set that the measurements and the kernels run on, e.g. "AVX3".
const char* instruction_set();
