#include <fmt/format.h>

#include "bilevel/data.hpp"
#include "bilevel/status.hpp"
#include "data/number.hpp"

namespace bilevel::data {

std::string Table::feature_name(std::size_t feature) const {
  if (feature >= features) {
    throw DimensionMismatch(fmt::format("feature {} does not exist: the table has {}", feature, features));
  }
  if (!feature_names.empty()) return feature_names[feature];
  if (!column_numbers.empty()) return fmt::format("feature {}", column_numbers[feature]);
  if (is_image) return fmt::format("pixel ({}, {})", feature / image_width, feature % image_width);
  return fmt::format("{} {}", format == Format::text ? "word bucket" : "feature", feature + 1);
}

std::string Table::summary() const {
  const std::string image = is_image ? fmt::format(" ({} x {} images)", image_height, image_width) : "";
  const std::string stored = sparse ? fmt::format(" ({} stored)", counted(values.size(), "value")) : "";
  const std::string labelled = classes > 0 ? fmt::format(", {} classes", classes) : "";
  return fmt::format("{}, {}{}{}{}", counted(rows, "row"), counted(features, "feature"), image, stored, labelled);
}

Table subset_without_features(const Table& table, std::span<const std::uint32_t> rows) {
  for (const std::uint32_t row : rows) {
    if (row >= table.rows) {
      throw DimensionMismatch(
          fmt::format("row {} does not exist: {} has {}", row, table.source, counted(table.rows, "row")));
    }
  }
  Table part;
  part.rows = rows.size();
  part.features = table.features;
  part.classes = table.classes;
  part.sparse = table.sparse;
  part.class_names = table.class_names;
  part.class_keys = table.class_keys;
  part.feature_names = table.feature_names;
  part.column_numbers = table.column_numbers;
  part.format = table.format;
  part.source = table.source;
  part.is_image = table.is_image;
  part.image_height = table.image_height;
  part.image_width = table.image_width;
  part.notes = table.notes;
  part.encoding = table.encoding;
  part.has_header = table.has_header;
  part.separator = table.separator;
  part.source_bytes = table.source_bytes;
  part.source_checksum = table.source_checksum;

  part.labels.reserve(rows.size());
  part.source_lines.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    part.labels.push_back(table.labels[row]);
    if (!table.source_lines.empty()) part.source_lines.push_back(table.source_lines[row]);
  }
  return part;
}

Table subset(const Table& table, std::span<const std::uint32_t> rows) {
  Table part = subset_without_features(table, rows);
  if (table.sparse) part.row_starts.push_back(0);
  if (!table.sparse) part.dense.reserve(rows.size() * table.features);
  for (const std::uint32_t row : rows) {
    if (table.sparse) {
      const auto begin = static_cast<std::ptrdiff_t>(table.row_starts[row]);
      const auto end = static_cast<std::ptrdiff_t>(table.row_starts[row + 1]);
      part.columns.insert(part.columns.end(), table.columns.begin() + begin, table.columns.begin() + end);
      part.values.insert(part.values.end(), table.values.begin() + begin, table.values.begin() + end);
      part.row_starts.push_back(part.columns.size());
    } else {
      const float* const features = table.dense.data() + row * table.features;
      part.dense.insert(part.dense.end(), features, features + table.features);
    }
  }
  return part;
}

}  // namespace bilevel::data
