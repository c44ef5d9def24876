// The certificate of an answer as a table for a person and as JSON for a program.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "bilevel/certificate.hpp"

namespace bilevel::cli {

/// A table "Certificate" of verdict, follower, eigenvalues and residuals beside their scales, then reason and advice.
std::string certificate_text(const Certificate& certificate);

/// The keys of result.json's "certificate". What is not known or not finite is null.
/// The keys of `morse_bott`, the same in a certificate and in `inspect --json`.
nlohmann::ordered_json morse_bott_json(const MorseBott& r);
nlohmann::ordered_json certificate_json(const Certificate& certificate);

}  // namespace bilevel::cli
