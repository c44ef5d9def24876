#include "bilevel/distillation_input.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "applications/input_options.hpp"
#include "bilevel/random.hpp"

namespace bilevel {

namespace {

void check(const DistillationInputOptions& options) {
  check_options(options);
  if (from_dataset(options.dataset, options.train)) {
    refuse_test_with_dataset(options.test);
    refuse_label_with_dataset(options.label);
  } else {
    refuse(options.train_rows != DistillationInputOptions{}.train_rows,
           "option 'train-rows' needs 'dataset': of a file, all rows are used");
  }
}

LabelledTable scaled(data::Table table, const data::Standardizer& scaling) {
  scaling.apply(table);
  return {Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
              table.dense.data(), static_cast<Index>(table.rows), static_cast<Index>(table.features))
              .cast<double>(),
          std::move(table.labels)};
}

data::Split split_rows(const DistillationInputOptions& options, const data::Table& table, std::uint64_t seed) {
  if (options.dataset.empty()) return data::hold_out_fraction(table.labels, options.hold_out, seed);
  if (options.train_rows >= table.rows) {
    throw InvalidOption(fmt::format("option 'train-rows' ({}) leaves none of the {} rows of {} to be held out",
                                    options.train_rows, table.rows, options.dataset));
  }
  const auto held = static_cast<std::size_t>(std::ceil(options.hold_out * static_cast<double>(options.train_rows)));
  const auto order = Random(seed).permutation(table.rows);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(options.train_rows);
  const auto end = middle + static_cast<std::ptrdiff_t>(std::min(held, table.rows - options.train_rows));
  return {{order.begin(), middle}, {middle, end}};
}

}  // namespace

DistillationInput read_distillation_input(const DistillationInputOptions& options, std::uint64_t seed) {
  check(options);
  const bool named = !options.dataset.empty();
  const auto dataset = named ? data::named_dataset(options.dataset) : data::NamedDataset{};
  data::ReadOptions read;
  read.label = options.label;
  read.class_names = dataset.class_names;
  data::Table whole = data::read_table(named ? dataset.train : options.train, read);
  if (whole.sparse) {
    throw InvalidInput(fmt::format(
        "{} holds sparse rows, but a distilled row has a value for every feature: give a{}", whole.source,
        whole.format == data::Format::csv ? " file whose text columns have fewer categories" : " CSV or IDX file"));
  }
  const auto rows = split_rows(options, whole, seed);
  DistillationInput input;
  input.notes = whole.notes;
  input.scaling = data::fit_standardizer(whole, rows.train, options.scaling);
  input.data.classes = static_cast<Index>(whole.classes);
  input.data.class_names = whole.class_names;
  input.data.train = scaled(data::subset(whole, rows.train), input.scaling);
  input.data.valid = scaled(data::subset(whole, rows.held_out), input.scaling);
  input.table = data::subset_without_features(whole, {});
  const auto file_rows = whole.rows;
  whole = {};

  input.train_source = named ? fmt::format("drawn from the {} training rows of {}", file_rows, options.dataset)
                             : fmt::format("{} rows of {}", rows.train.size(), options.train);
  const std::string test = named ? dataset.test : options.test;
  if (!test.empty()) {
    auto table = data::read_table_like(test, input.table, read);
    for (const auto& note : table.notes) input.notes.push_back("test rows: " + note);
    input.data.test = scaled(std::move(table), input.scaling);
    input.test_source = named ? fmt::format("all test rows of {}", options.dataset) : options.test;
  }
  input.notes.insert(input.notes.end(), input.scaling.notes.begin(), input.scaling.notes.end());
  return input;
}

Table DistillationInput::unscaled(const Table& rows) const {
  Table result = rows;
  if (scaling.scale.empty()) return result;
  for (Index j = 0; j < result.cols(); ++j) {
    const auto k = static_cast<std::size_t>(j);
    const double scale = scaling.scale[k];
    // A constant feature has scale 0: what is made of it means nothing to the model, and its mean is its only value.
    if (scale == 0) {
      result.col(j).setConstant(scaling.mean[k]);
    } else {
      result.col(j) = result.col(j).array() / scale + scaling.mean[k];
    }
  }
  return result;
}

void describe(OptionTable& table, DistillationInputOptions& options) {
  table.group("Input")
      .add("dataset", options.dataset, "a data set that is installed on this machine, instead of files",
           fmt::format("one of {}", fmt::join(data::dataset_names(), ", ")))
      .add("train", options.train, "training rows with labels: CSV, or an IDX pair images,labels; plain or gzip",
           "a file, or two joined by a comma")
      .add("test", options.test, "test rows in the format of the training file, used once, to measure accuracy",
           "a file, or two joined by a comma")
      .add("label", options.label,
           "CSV: the label column, by name, number from 1, or last; none: the one called label, class, target or y, "
           "else the last",
           "a column")
      .add("train-rows", options.train_rows, "rows drawn from a named data set for the leader's loss", at_least(2))
      .add("hold-out", options.hold_out,
           "share of the training rows, of a data set as many beside them, that only chooses the regularisation of the "
           "models to compare with",
           greater_than(0), less_than(1))
      .add("scaling", options.scaling,
           "of features, fitted on the training rows: to mean 0 and deviation 1 (standardize), to at most 1 (unit: "
           "pixels / 255), or none; auto: standardize",
           {{"auto", data::Scaling::automatic},
            {"standardize", data::Scaling::standardize},
            {"unit", data::Scaling::unit},
            {"none", data::Scaling::none}});
}

}  // namespace bilevel
