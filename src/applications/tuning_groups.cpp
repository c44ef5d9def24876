#include "applications/tuning_groups.hpp"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "bilevel/options.hpp"
#include "bilevel/status.hpp"
#include "core/shown.hpp"
#include "data/csv_lexer.hpp"
#include "data/gzip_file.hpp"

namespace bilevel {

namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 28;

/// Numbers names in order of first appearance.
class Numbers {
 public:
  std::uint32_t of(const std::string& name) {
    const auto [found, is_new] = numbers_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (is_new) names_.push_back(name);
    return found->second;
  }
  std::vector<std::string> take() { return std::move(names_); }

 private:
  std::map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> names_;
};

FeatureGroups by_column(const data::Table& table) {
  FeatureGroups groups;
  Numbers numbers;
  groups.of_feature.resize(table.features);
  for (std::size_t j = 0; j < table.features; ++j) groups.of_feature[j] = 0;
  if (table.encoding.empty()) {
    for (std::size_t j = 0; j < table.features; ++j) groups.of_feature[j] = numbers.of(table.feature_name(j));
  }
  for (const auto& column : table.encoding) {
    std::size_t count = 0;
    if (column.kind == data::Column::Kind::numeric) count = 1;
    if (column.kind == data::Column::Kind::categorical) count = column.categories.size();
    if (count == 0) continue;
    const auto group = numbers.of(column.name);
    for (std::size_t j = 0; j < count; ++j) groups.of_feature[column.first_feature + j] = group;
  }
  groups.names = numbers.take();
  return groups;
}

FeatureGroups from_file(const data::Table& table, const std::string& file) {
  std::map<std::string, std::size_t> features;
  std::vector<std::string> names;
  for (std::size_t j = 0; j < table.features; ++j) {
    names.push_back(table.feature_name(j));
    features[names.back()] = j;
  }
  std::vector<std::string> group_of(table.features);
  const auto text = data::read_bytes(file, kLargestFile);
  data::CsvLexer lexer(data::skip_byte_order_mark(text), ',', file);
  std::string buffer;
  for (bool first = true; lexer.next(); first = false) {
    const auto& fields = lexer.fields();
    if (fields.size() != 2) {
      throw InvalidInput(fmt::format("{}, line {}: a line 'feature,group' has two fields, this one {}", file,
                                     lexer.line(), fields.size()));
    }
    const std::string feature(fields[0].value(buffer)), group(fields[1].value(buffer));
    if (first && feature == "feature" && group == "group") continue;
    const auto found = features.find(feature);
    if (found == features.end()) {
      const auto nearest = nearest_name(feature, names);
      throw InvalidInput(fmt::format("{}, line {}: there is no feature '{}'{}", file, lexer.line(), shown(feature),
                                     nearest.empty() ? "" : fmt::format("; did you mean '{}'?", shown(nearest))));
    }
    if (group.empty()) throw InvalidInput(fmt::format("{}, line {}: the group's name is empty", file, lexer.line()));
    auto& known = group_of[found->second];
    if (!known.empty()) {
      throw InvalidInput(
          fmt::format("{}, line {}: the feature '{}' is given twice", file, lexer.line(), shown(feature)));
    }
    known = group;
  }
  FeatureGroups groups;
  Numbers numbers;
  for (std::size_t j = 0; j < table.features; ++j) {
    if (group_of[j].empty())
      throw InvalidInput(fmt::format("{}: the feature '{}' has no group", file, shown(names[j])));
    groups.of_feature.push_back(numbers.of(group_of[j]));
  }
  groups.names = numbers.take();
  return groups;
}

}  // namespace

FeatureGroups read_groups(const data::Table& table, const std::string& file) {
  return file.empty() ? by_column(table) : from_file(table, file);
}

}  // namespace bilevel
