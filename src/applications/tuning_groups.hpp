// Features that share a penalty weight.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/data.hpp"

namespace bilevel {

struct FeatureGroups {
  std::vector<std::uint32_t> of_feature;  // d: 0..G-1, in order of first appearance
  std::vector<std::string> names;         // G
};

/// The groups that a CSV file "feature,group" gives to the table's features, whose names are those of feature_name(); a
/// first line of just these words is a header. Without a file the features of one column of a CSV table are a group,
/// and each feature of any other table. Throws InvalidInput for a file that cannot be read, a line without two fields,
/// a feature that is unknown (with the nearest known one), occurs twice or is missing.
FeatureGroups read_groups(const data::Table& table, const std::string& file);

}  // namespace bilevel
