// Measures everything that a certificate says.
#pragma once

#include "bilevel/certificate.hpp"

namespace bilevel {

/// certify() without its checks of shapes, oracles and options.
Certificate examine(const BilevelProblem& problem, const Vec& x, const Vec& y, const CertificateOptions& options);

}  // namespace bilevel
