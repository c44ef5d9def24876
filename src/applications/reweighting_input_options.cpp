#include "applications/reweighting_input_options.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "applications/input_options.hpp"
#include "applications/reweighting_datasets.hpp"

namespace bilevel {

std::vector<NamedSpecification> named_sources(const std::vector<std::string>& items) {
  std::vector<NamedSpecification> sources;
  for (const auto& item : items) {
    const auto equals = item.find('=');
    if (equals == std::string::npos && !sources.empty()) {
      sources.back().spec += "," + item;
      continue;
    }
    if (equals == std::string::npos || equals == 0 || equals + 1 == item.size()) {
      throw InvalidOption(
          fmt::format("option 'source' is '{}', but must be name=file, as in --source web=web.csv", item));
    }
    NamedSpecification source{item.substr(0, equals), item.substr(equals + 1)};
    const auto same = [&](const NamedSpecification& other) { return other.name == source.name; };
    if (std::any_of(sources.begin(), sources.end(), same)) {
      throw InvalidOption(
          fmt::format("option 'source' names '{}' twice: each source needs a name of its own", source.name));
    }
    sources.push_back(std::move(source));
  }
  if (sources.size() == 1) {
    throw InvalidOption(fmt::format(
        "there is only the source '{}': with one there is nothing to weigh, give two or more", sources.front().name));
  }
  return sources;
}

void check_reweighting_input(const ReweightingInputOptions& options) {
  check_options(options);
  const ReweightingInputOptions usual;
  const bool named = !options.dataset.empty();
  refuse(!named && options.sources.empty(),
         "no sources: give two or more files with 'source', as in --source easy=easy.csv --source web=web.csv, or a "
         "data set's name with 'dataset'");
  refuse(named && !options.sources.empty(), "give either 'source' or 'dataset', not both");
  if (named) {
    refuse_with_dataset(!options.valid.empty(), "valid", "the target's rows are drawn from it, see 'valid-rows'");
    refuse_test_with_dataset(options.test);
    refuse_with_dataset(!options.label.empty(), "label", "it chooses a column of CSV files given with 'source'");
    refuse_with_dataset(!options.drop.empty(), "drop", "it leaves out columns of CSV files given with 'source'");
    refuse_with_dataset(options.header != usual.header, "header", "it is about CSV files given with 'source'");
    refuse_with_dataset(!options.texts.text.empty(), "text", "it chooses a column of CSV files given with 'source'");
    return;
  }
  named_sources(options.sources);
  refuse(options.valid.empty(),
         "the target's rows are missing: give a file with 'valid', as in --valid target.csv; the weights are chosen so "
         "that the model does well on them");
  refuse(options.source_rows != usual.source_rows, "option 'source-rows' needs 'dataset': of files, all rows are used");
  refuse(options.noise != usual.noise, "option 'noise' needs 'dataset': files are taken as they are");
  refuse(options.valid_rows.has_value(), "option 'valid-rows' needs 'dataset': of a file, all rows are used");
}

void describe(OptionTable& table, ReweightingInputOptions& options) {
  table.group("Input")
      .add("source", options.sources,
           "a training source: a name of yours and its rows with labels: CSV or LIBSVM, an IDX pair images,labels "
           "(plain or gzip), or texts: a folder with a subfolder of .txt files for each class, or class:folder, or a "
           "CSV file with --text",
           "name=file, repeatable")
      .add("valid", options.valid,
           "rows of the target, in the format of the sources: what the model should do well on; they define classes "
           "and features",
           "a file or folder, or two joined by a comma")
      .add("test", options.test, "more rows of the target, used once, to measure the final models",
           "a file or folder, or two joined by a comma")
      .add("dataset", options.dataset,
           "a data set that is installed on this machine, instead of files: fashion-mnist, split into two clean "
           "sources and two bad ones, or spam-assassin (./dev data spam-assassin), whose folders are the sources",
           fmt::format("one of {}", fmt::join(reweighting_dataset_names(), ", ")))
      .add("label", options.label,
           "CSV: the column of labels, by name, number from 1, or last; none: the one called label, class, target or "
           "y, else the last",
           "a column")
      .add("drop", options.drop, "CSV: a column to leave out, by name or number from 1", "a column, repeatable");
  add_header(table, options.header);
  table
      .add("source-rows", options.source_rows,
           "fashion-mnist: rows of each clean source; each bad one has twice as many", between(10, 1e6))
      .add("noise", options.noise, "fashion-mnist: share of wrong labels in the source called mislabelled",
           between(0, 1))
      .add("valid-rows", options.valid_rows,
           "rows of the target drawn from a named data set; auto: 500 images, 100 messages", between(2, 1e6));
  describe(table, options.texts);
  table.group("Features");
  add_scaling(table, options.scaling, "all sources and the target's rows", "standardize, of texts none");
}

}  // namespace bilevel
