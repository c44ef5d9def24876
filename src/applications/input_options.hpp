// Checks that the inputs of all applications share: rows come from files or from a named data set.
#pragma once

#include <string>
#include <string_view>

#include "bilevel/data.hpp"
#include "bilevel/options.hpp"

namespace bilevel {

/// Option header: whether the first line of a CSV file holds names.
void add_header(OptionTable& table, data::Header& header);

/// Option scaling of features; `fitted_on` says on which rows, `automatic` what auto is.
void add_scaling(OptionTable& table, data::Scaling& scaling, const std::string& fitted_on,
                 const std::string& automatic);

/// Throws InvalidOption with the sentence if the condition holds.
void refuse(bool condition, std::string_view sentence);

/// Whether the rows are those of a named data set. Throws InvalidOption unless exactly one of the two is given.
bool from_dataset(const std::string& dataset, const std::string& train);

/// Throws InvalidOption if an option was given that says nothing about a named data set.
void refuse_with_dataset(bool given, std::string_view option, std::string_view why);

void refuse_test_with_dataset(const std::string& test);
void refuse_label_with_dataset(const std::string& label);

}  // namespace bilevel
