#include "applications/tuning_input_options.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "applications/input_options.hpp"

namespace bilevel {

void check_tuning_input(const TuningInputOptions& options) {
  check_options(options);
  const TuningInputOptions usual;
  const bool named = from_dataset(options.dataset, options.train);
  if (named) {
    refuse_with_dataset(!options.valid.empty(), "valid",
                        "its validation rows are drawn from the data set, see 'valid-rows'");
    refuse_test_with_dataset(options.test);
    refuse_label_with_dataset(options.label);
    refuse_with_dataset(!options.drop.empty(), "drop", "it leaves out columns of a CSV file given with 'train'");
    refuse_with_dataset(options.header != usual.header, "header", "it is about CSV files given with 'train'");
    refuse_with_dataset(options.hold_out.has_value(), "hold-out", "'valid-rows' sets how many rows validate");
    refuse_with_dataset(options.task == TuningTask::regress, "task", "its labels are classes");
    return;
  }
  refuse(options.train_rows != usual.train_rows, "option 'train-rows' needs 'dataset': of a file, all rows are used");
  refuse(options.valid_rows != usual.valid_rows,
         "option 'valid-rows' needs 'dataset': of a file, 'hold-out' sets the share of validation rows");
  const int ways = (options.valid.empty() ? 0 : 1) + (options.folds ? 1 : 0) + (options.hold_out ? 1 : 0);
  refuse(ways > 1, "give one of 'valid', 'folds' and 'hold-out': each says which rows validate");
}

void describe(OptionTable& table, TuningInputOptions& options) {
  table.group("Input")
      .add("dataset", options.dataset,
           "a data set that is installed on this machine, instead of files: training and validation rows are drawn "
           "with the seed, its test rows are all used",
           fmt::format("one of {}", fmt::join(data::dataset_names(), ", ")))
      .add("train", options.train,
           "training rows with labels or targets: CSV or LIBSVM, or an IDX pair images,labels; plain or gzip",
           "a file, or two joined by a comma")
      .add("valid", options.valid, "validation rows in the format of the training file; none: see folds and hold-out",
           "a file, or two joined by a comma")
      .add("test", options.test, "test rows in the format of the training file, used once, to measure the final models",
           "a file, or two joined by a comma")
      .add("task", options.task,
           "classify: the label is a class; regress: a real target (CSV only); auto: regress where the labels are "
           "numbers with fractions, or more than 20 different ones",
           {{"auto", TuningTask::automatic}, {"classify", TuningTask::classify}, {"regress", TuningTask::regress}})
      .add("label", options.label,
           "CSV: the column of labels or targets, by name, number from 1, or last; none: the one called label, class, "
           "target or y, else the last",
           "a column")
      .add("drop", options.drop, "CSV: a column to leave out, by name or number from 1", "a column, repeatable");
  add_header(table, options.header);
  table
      .add("groups", options.groups,
           "for --penalty per-group: which feature is of which group; none: the features of a CSV column are one",
           "a CSV file with a line feature,group for each feature")
      .add("folds", options.folds,
           "deal the training rows into so many folds, each class in proportion; each fold validates the model of the "
           "others; of a named data set, train-rows and valid-rows together are dealt; auto: 5 without valid, hold-out "
           "and "
           "dataset",
           at_least(2))
      .add("hold-out", options.hold_out, "share of the training rows that validates, instead of folds; auto: none",
           greater_than(0), less_than(1))
      .add("train-rows", options.train_rows, "training rows drawn from a named data set", at_least(2))
      .add("valid-rows", options.valid_rows,
           "validation rows drawn from a named data set, other than the training rows", at_least(2))
      .add("seed", options.seed, "of the random numbers that draw, deal and hold out: same seed, same result");
  table.group("Features");
  add_scaling(table, options.scaling, "the training rows", "standardize");
  table.add("precision", options.precision,
            "of passes over the data; float32 is twice as fast, float64 is for many digits; auto: by the table's size",
            {{"auto", TuningPrecision::automatic},
             {"float32", TuningPrecision::float32},
             {"float64", TuningPrecision::float64}});
}

}  // namespace bilevel
