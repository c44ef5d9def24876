#include "bilevel/reweighting_input.hpp"

#include <memory>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "applications/reweighting_datasets.hpp"
#include "applications/reweighting_input_options.hpp"
#include "applications/reweighting_rows.hpp"
#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "bilevel/text.hpp"

namespace bilevel {

namespace {

/// Reads every file alike: as tables or as texts, with the classes and features of the target's.
class FileReader {
 public:
  explicit FileReader(const ReweightingInputOptions& options)
      : text_(!options.text.empty() || data::is_text(options.valid)),
        read_text_{.buckets = options.buckets,
                   .skip_headers = !options.mail_headers,
                   .text = options.text,
                   .label = options.label} {
    read_.label = options.label;
    read_.drop = options.drop;
    read_.header = options.header;
    if (text_ && !options.drop.empty()) throw InvalidOption("option 'drop' says nothing about texts");
  }

  data::Table target(const std::string& spec) const {
    return text_ ? data::read_text(spec, read_text_) : data::read_table(spec, read_);
  }
  data::Table like(const std::string& spec, const data::Table& target) const {
    if (text_) return data::read_text_like(spec, target, read_text_);
    if (data::is_text(spec)) {
      throw InvalidInput(
          fmt::format("{} holds texts, but the target's rows ({}) are a table; for a CSV file of texts "
                      "say which column they stand in: --text COLUMN",
                      spec, target.source));
    }
    return data::read_table_like(spec, target, read_);
  }

 private:
  bool text_;
  data::ReadOptions read_;
  data::TextOptions read_text_;
};

std::vector<std::uint32_t> numbers(std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
  return rows;
}

std::vector<std::uint32_t> with_replacement(const std::vector<std::uint32_t>& rows, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint32_t> drawn;
  for (std::size_t i = 0; i < rows.size(); ++i) drawn.push_back(rows[random.below(rows.size())]);
  return drawn;
}

ReweightingInput read_files(const ReweightingInputOptions& options, std::uint64_t first_seed) {
  const FileReader reader(options);
  ReweightingInput input;
  auto table = reader.target(options.valid);
  for (const auto& note : table.notes) input.notes.push_back("target rows: " + note);
  RowParts parts;
  parts.valid = numbers(0, table.rows);
  for (const auto& [name, spec] : named_sources(options.sources)) {
    const auto source = reader.like(spec, table);
    for (const auto& note : source.notes) input.notes.push_back(fmt::format("source {}: {}", name, note));
    parts.sources.push_back({name, numbers(table.rows, source.rows)});
    input.sources.push_back({name, spec, source.rows, false});
    append_rows(table, source);
  }
  std::shared_ptr<const data::Table> test;
  if (!options.test.empty()) {
    test = std::make_shared<data::Table>(reader.like(options.test, table));
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
  const auto whole = std::make_shared<const data::Table>(std::move(table));
  input.draw = [=](std::uint64_t seed) {
    auto drawn = parts;
    if (seed != first_seed) drawn.valid = with_replacement(parts.valid, seed);
    return assemble(*whole, drawn, test.get(), scaling);
  };
  return input;
}

}  // namespace

ReweightingInput read_reweighting_input(const ReweightingInputOptions& options, std::uint64_t first_seed) {
  check_reweighting_input(options);
  return options.dataset.empty() ? read_files(options, first_seed) : read_reweighting_dataset(options);
}

}  // namespace bilevel
