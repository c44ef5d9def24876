// What `bilevel race` says: text for people, result.json for programs, points.csv.
#pragma once

#include <string>

#include "bilevel/options.hpp"
#include "race_problems.hpp"

namespace bilevel::cli {

/// The methods in order of their median end value, the win table, who was left out, and what it took.
std::string race_text(const RaceField& field, const RaceOptions& options, const RaceResult& result, double seconds);

/// `asked` are the command's options.
std::string race_json(const RaceField& field, const RaceResult& result, const OptionTable& asked, double seconds);

/// method,seed,seconds,passes,iteration,value and the scores: a row for each judged moment.
std::string race_points_csv(const RaceField& field, const RaceResult& result);

/// The methods (as positions) in order of their median end value, the lowest first; what is not finite comes last.
std::vector<std::size_t> ranking(const RaceResult& result);

/// The middle one of the sorted values, or the mean of the two; NaN of none.
double median(std::vector<double> values);

}  // namespace bilevel::cli
