#include "bilevel/reweighting_input.hpp"

#include <map>
#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "applications/labelled_rows.hpp"
#include "applications/reweighting_datasets.hpp"
#include "applications/reweighting_input_options.hpp"
#include "applications/reweighting_rows.hpp"
#include "applications/row_files.hpp"
#include "applications/table_features.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

namespace {

data::ReadOptions read_options(const ReweightingInputOptions& options) {
  data::ReadOptions read;
  read.label = options.label;
  read.drop = options.drop;
  read.header = options.header;
  // The target's rows are few: a column that they lack may be one that the sources have.
  read.keep_unused_columns = true;
  return read;
}

std::vector<std::uint32_t> numbers(std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
  return rows;
}

/// As many rows of each class, drawn with replacement: a few rows drawn from all could miss a class.
std::vector<std::uint32_t> with_replacement(const std::vector<std::int32_t>& labels, std::uint64_t seed) {
  std::map<std::int32_t, std::vector<std::uint32_t>> of_class;
  for (std::uint32_t row = 0; row < labels.size(); ++row) of_class[labels[row]].push_back(row);
  Random random(seed);
  std::vector<std::uint32_t> drawn;
  for (const auto label : labels) {
    const auto& rows = of_class[label];
    drawn.push_back(rows[random.below(rows.size())]);
  }
  return drawn;
}

ReweightingInput read_files(const ReweightingInputOptions& options, std::uint64_t first_seed) {
  const RowFiles files(options.valid, read_options(options), options.texts);
  ReweightingInput input;
  auto table = files.read(options.valid);
  for (const auto& note : table.notes) input.notes.push_back("target rows: " + note);
  RowParts parts;
  parts.valid = numbers(0, table.rows);
  for (const auto& [name, spec] : named_sources(options.sources)) {
    const auto source = files.read_like(spec, table);
    for (const auto& note : source.notes) input.notes.push_back(fmt::format("source {}: {}", name, note));
    parts.sources.push_back({name, numbers(table.rows, source.rows)});
    input.sources.push_back({name, spec, source.rows, false});
    append_rows(table, source);
  }
  if (auto note = data::drop_unused_columns(table); !note.empty()) input.notes.push_back(std::move(note));
  check_model_size(table);
  std::optional<data::Table> test;
  if (!options.test.empty()) {
    test = files.read_like(options.test, table);
    for (const auto& note : test->notes) input.notes.push_back("test rows: " + note);
    input.test_rows = test->rows;
  }
  const auto scaling = fit_scaling(table, parts, options.scaling);
  input.notes.insert(input.notes.end(), scaling.notes.begin(), scaling.notes.end());
  input.choices.push_back({"scaling", options.scaling == data::Scaling::automatic ? "auto" : "given",
                           std::string(data::to_string(scaling.scaling)),
                           table.format == data::Format::text ? "rows of texts have length 1"
                                                              : "features of one scale: one penalty fits all"});
  input.valid_rows = parts.valid.size();
  input.features = table.features;
  input.valid_source = options.valid;
  input.test_source = options.test;
  input.class_names = table.class_names;
  input.drawn = "from the second on: which of the target's validation rows are taken, with replacement";
  const auto whole = std::make_shared<const ReweightingData>(assemble(table, parts, test ? &*test : nullptr, scaling));
  input.draw = [whole, first_seed](std::uint64_t seed) {
    auto drawn = *whole;  // features are shared
    if (seed != first_seed) drawn.valid = pick(whole->valid, with_replacement(whole->valid.labels, seed));
    return drawn;
  };
  return input;
}

}  // namespace

ReweightingInput read_reweighting_input(const ReweightingInputOptions& options, std::uint64_t first_seed) {
  check_reweighting_input(options);
  return options.dataset.empty() ? read_files(options, first_seed) : read_reweighting_dataset(options);
}

}  // namespace bilevel
