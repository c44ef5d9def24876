#include "applications/cleaning_input_options.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "applications/input_options.hpp"

namespace bilevel {

void check_cleaning_input(CleaningInputOptions options) {
  check_options(options);
  const CleaningInputOptions usual;
  const bool named = from_dataset(options.dataset, options.train);
  if (named) {
    refuse_with_dataset(!options.valid.empty(), "valid",
                        "its trusted rows are drawn from the data set, see 'valid-rows'");
    refuse_test_with_dataset(options.test);
    refuse_with_dataset(!options.truth.empty(), "truth", "the labels of the data set are the truth, see 'corrupt'");
    refuse_label_with_dataset(options.label);
    refuse_with_dataset(!options.drop.empty(), "drop", "it leaves out columns of a CSV file given with 'train'");
    refuse_with_dataset(options.header != usual.header, "header", "it is about CSV files given with 'train'");
    refuse_with_dataset(!options.texts.text.empty(), "text", "it chooses a column of a CSV file given with 'train'");
    refuse_with_dataset(options.hold_out != usual.hold_out, "hold-out", "'valid-rows' sets how many rows are trusted");
  } else {
    refuse(options.train_rows != usual.train_rows, "option 'train-rows' needs 'dataset': of a file, all rows are used");
    refuse(options.valid_rows != usual.valid_rows,
           "option 'valid-rows' needs 'dataset': of a file, 'hold-out' sets the share of trusted rows");
    refuse(!options.valid.empty() && options.hold_out != usual.hold_out,
           "option 'hold-out' does not go with 'valid': with trusted rows in a file, none are held out");
  }
  refuse(options.corrupt && !options.truth.empty(),
         "options 'corrupt' and 'truth' do not go together: after corrupting, the labels before it are the truth");
  refuse(!options.corrupt && options.corruption != usual.corruption,
         "option 'corruption' needs 'corrupt', the share of labels to make wrong");
}

void describe(OptionTable& table, CleaningInputOptions& options) {
  table.group("Input")
      .add("dataset", options.dataset,
           "a data set that is installed on this machine, instead of files: its training rows are drawn with the seed, "
           "its test rows are all used",
           fmt::format("one of {}", fmt::join(data::dataset_names(), ", ")))
      .add("train", options.train,
           "training rows with labels, some of them wrong: CSV or LIBSVM, or an IDX pair images,labels (plain or "
           "gzip), or "
           "texts: a folder with a subfolder of .txt files for each class, or class:folder, or a CSV file with --text",
           "a file or folder, or several joined by commas")
      .add("valid", options.valid,
           "trusted rows in the format of the training file: their labels are believed; none: held out from the "
           "training rows",
           "a file, or two joined by a comma")
      .add("test", options.test, "test rows in the format of the training file, used once, to measure accuracy",
           "a file, or two joined by a comma")
      .add("truth", options.truth,
           "true labels of the training rows, used only to measure how well wrong ones are found: one a line, a CSV "
           "column or an IDX file; blank where not known",
           "a file")
      .add("label", options.label,
           "CSV: the label column, by name, number from 1, or last; none: the one called label, class, target or y, "
           "else "
           "the last",
           "a column")
      .add("drop", options.drop, "CSV: a column to leave out, by name or number from 1", "a column, repeatable");
  add_header(table, options.header);
  table.add("hold-out", options.hold_out,
            "share of the training file that is trusted, in proportion to the classes, when no file of trusted rows is "
            "given",
            greater_than(0), less_than(1));
  describe(table, options.texts);
  table.group("Experiment")
      .add("train-rows", options.train_rows, "training rows drawn from a named data set", at_least(2))
      .add("valid-rows", options.valid_rows, "trusted rows drawn from a named data set, other than the training rows",
           at_least(2))
      .add("corrupt", options.corrupt,
           "share of the training labels to make wrong, to see how many are found again; auto: labels stay as they are",
           between(0, 1))
      .add("corruption", options.corruption,
           "what a wrong label becomes: any other class alike (uniform), or the next class (pairwise)",
           {{"uniform", data::Corruption::uniform}, {"pairwise", data::Corruption::pairwise}})
      .add("seed", options.seed,
           "of the random numbers that draw, hold out and corrupt: same seed, same rows and labels");
  table.group("Features");
  add_scaling(table, options.scaling, "the training rows", "standardize, of texts none");
  table.add("precision", options.precision,
            "of passes over the data; float32 is twice as fast and halves the memory, float64 is for many digits",
            {{"float32", Precision::float32}, {"float64", Precision::float64}});
}

}  // namespace bilevel
