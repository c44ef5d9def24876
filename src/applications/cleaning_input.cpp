#include "bilevel/cleaning_input.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "applications/cleaning_input_options.hpp"
#include "applications/row_files.hpp"
#include "applications/table_features.hpp"
#include "bilevel/random.hpp"

namespace bilevel {

namespace {

using data::Table;

/// Which rows of the training file are trained on, and which are trusted (none if these have a file of their own).
struct Rows {
  std::vector<std::uint32_t> train, trusted;
};

/// Options about CSV files say nothing about the other formats.
void check_format(const CleaningInputOptions& options, const Table& table) {
  if (table.format == data::Format::csv || table.format == data::Format::text) return;
  const auto foreign = [&](bool given, std::string_view name) {
    if (given) {
      throw InvalidOption(fmt::format("option '{}' is about CSV files, but '{}' is {}", name, table.source,
                                      table.format == data::Format::idx ? "an IDX pair" : "a LIBSVM file"));
    }
  };
  foreign(!options.label.empty() && options.truth.empty(), "label");
  foreign(!options.drop.empty(), "drop");
  foreign(options.header != data::Header::automatic, "header");
}

data::ReadOptions read_options(const CleaningInputOptions& options) {
  data::ReadOptions read;
  read.label = options.label;
  read.drop = options.drop;
  read.header = options.header;
  return read;
}

Rows draw(const CleaningInputOptions& options, const Table& table) {
  if (options.train_rows > table.rows || options.valid_rows > table.rows - options.train_rows) {
    throw InvalidOption(
        fmt::format("options 'train-rows' ({}) and 'valid-rows' ({}) ask for more rows than the {} of {}",
                    options.train_rows, options.valid_rows, table.rows, options.dataset));
  }
  const auto order = Random(options.seed).permutation(table.rows);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(options.train_rows);
  return {{order.begin(), middle}, {middle, middle + static_cast<std::ptrdiff_t>(options.valid_rows)}};
}

Rows all_rows(const Table& table) {
  Rows rows;
  rows.train.resize(table.rows);
  std::iota(rows.train.begin(), rows.train.end(), 0U);
  return rows;
}

std::vector<std::int32_t> pick(const std::vector<std::int32_t>& labels, const std::vector<std::uint32_t>& rows) {
  std::vector<std::int32_t> picked(rows.size());
  std::transform(rows.begin(), rows.end(), picked.begin(), [&](auto row) { return labels[row]; });
  return picked;
}

void require_two_classes(const std::vector<std::int32_t>& labels, const Table& table, std::string_view which,
                         std::string_view remedy) {
  const bool mixed = std::any_of(labels.begin(), labels.end(), [&](auto label) { return label != labels.front(); });
  if (mixed) return;
  throw InvalidInput(fmt::format("{}: the {} {} rows are all of the class '{}'; {}", table.source, labels.size(), which,
                                 table.class_names[static_cast<std::size_t>(labels.front())], remedy));
}

/// The truths of all rows of the training file.
std::vector<std::int32_t> read_truth(const CleaningInputOptions& options, const Table& table) {
  auto read = read_options(options);
  read.header = data::Header::automatic;  // the class names tell a header from a label, whatever the training file has
  auto truth = data::read_labels(options.truth, table, read);
  if (truth.size() != table.rows) {
    throw InvalidInput(fmt::format("{}: holds {} labels, but {} holds {} rows", options.truth, truth.size(),
                                   table.source, table.rows));
  }
  return truth;
}

/// Held out before anything is corrupted; `notes` says what that costs.
Rows hold_out(const CleaningInputOptions& options, const Table& table, std::vector<std::string>& notes) {
  // At least one row is always held out; rounding can leave none.
  if (std::llround(options.hold_out * static_cast<double>(table.rows)) >= static_cast<long long>(table.rows)) {
    throw InvalidOption(fmt::format("option 'hold-out' ({}) leaves none of the {} rows of {} to train on",
                                    options.hold_out, table.rows, table.source));
  }
  auto split = data::hold_out_fraction(table.labels, options.hold_out, options.seed);
  notes.push_back(fmt::format(
      "{} of the {} rows were held out to be trusted, with their labels as they are: wrong labels among them "
      "mislead the cleaning, they are not cleaned themselves, and they no longer train; give checked rows "
      "with --valid FILE to avoid all three",
      split.held_out.size(), table.rows));
  return {std::move(split.train), std::move(split.held_out)};
}

void note(std::vector<std::string>& notes, std::string_view which, const std::vector<std::string>& more) {
  for (const auto& sentence : more) notes.push_back(fmt::format("{} rows: {}", which, sentence));
}

/// How rows of other files become rows like the training rows.
struct Likeness {
  const Table& training;
  data::Standardizer scaling;
  RowFiles files;
  Precision precision;

  LabelledRows read_rows(const std::string& spec, std::string_view which, std::vector<std::string>& notes) const {
    Table table = files.read_like(spec, training);
    note(notes, which, table.notes);
    return {table_features(table, scaling, precision), std::move(table.labels)};
  }
};

Choice scaling_choice(const CleaningInputOptions& options, const data::Standardizer& scaling, const Table& table) {
  std::string reason = "asked for";
  if (options.scaling == data::Scaling::automatic) {
    reason = table.format == data::Format::text ? "rows of texts have length 1"
             : table.sparse ? "the follower converges in fewer steps; sparse features are not centred, to stay sparse"
                            : "the follower converges in fewer steps on features of mean 0 and deviation 1";
  }
  const auto asked = options.scaling == data::Scaling::automatic ? "auto" : data::to_string(options.scaling);
  return {"scaling", std::string(asked), std::string(data::to_string(scaling.scaling)), std::move(reason)};
}

/// 60000 as "60,000".
std::string with_separators(std::size_t count) {
  std::string text = std::to_string(count);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), ",");
  }
  return text;
}

/// The phrases that say where the rows came from; how many there are is said elsewhere.
void name_sources(const CleaningInputOptions& options, std::size_t rows_of_file, CleaningInput& input) {
  const auto all = with_separators(rows_of_file);
  if (!options.dataset.empty()) {
    input.train_source = fmt::format("drawn from the {} training rows of {}", all, options.dataset);
    input.trusted_source = "drawn from the others of these";
    input.test_source = fmt::format("all test rows of {}", options.dataset);
    return;
  }
  const bool held_out = options.valid.empty();
  input.train_source = held_out ? fmt::format("the other rows of {}", options.train) : options.train;
  input.trusted_source = held_out ? fmt::format("held out from the {} rows of {}", all, options.train) : options.valid;
  input.test_source = options.test;
}

}  // namespace

CleaningInput read_cleaning_input(const CleaningInputOptions& options) {
  check_cleaning_input(options);
  const bool named = !options.dataset.empty();
  const auto dataset = named ? data::named_dataset(options.dataset) : data::NamedDataset{};
  auto read = read_options(options);
  read.class_names = dataset.class_names;

  const auto& spec = named ? dataset.train : options.train;
  const RowFiles files(spec, read, options.texts);
  Table whole = files.read(spec);
  check_format(options, whole);
  check_model_size(whole);
  std::vector<std::string> notes = whole.notes;
  const Rows rows = named                   ? draw(options, whole)
                    : options.valid.empty() ? hold_out(options, whole, notes)
                                            : all_rows(whole);
  const auto scaling = data::fit_standardizer(whole, rows.train, options.scaling);
  std::optional<std::vector<std::int32_t>> truth;
  if (!options.truth.empty()) truth = pick(read_truth(options, whole), rows.train);
  LabelledRows train{table_features(whole, rows.train, scaling, options.precision), pick(whole.labels, rows.train)};
  std::optional<LabelledRows> trusted;
  if (options.valid.empty()) {
    trusted = {table_features(whole, rows.trusted, scaling, options.precision), pick(whole.labels, rows.trusted)};
  }
  auto kept = rows.train;
  if (!named) kept.insert(kept.end(), rows.trusted.begin(), rows.trusted.end());
  Table table = data::subset_without_features(whole, kept);
  const std::size_t rows_of_file = whole.rows;
  whole = {};  // by far the largest part: gone before the next file is read

  const Likeness like{table, scaling, files, options.precision};
  const auto test_file = named ? dataset.test : options.test;
  std::optional<LabelledRows> test;
  if (!trusted) trusted = like.read_rows(options.valid, "trusted", notes);
  if (!test_file.empty()) test = like.read_rows(test_file, "test", notes);
  notes.insert(notes.end(), scaling.notes.begin(), scaling.notes.end());
  require_two_classes(train.labels, table, "training", "there is nothing to learn");
  require_two_classes(trusted->labels, table, "trusted",
                      named || !options.valid.empty()
                          ? "they cannot tell right labels from wrong ones"
                          : "hold out a larger share, or give trusted rows in a file of their own");

  if (named) truth = train.labels;
  if (options.corrupt) {
    truth = train.labels;
    train.labels =
        data::corrupt_labels(*truth, table.classes, *options.corrupt, options.corruption, options.seed).labels;
    std::copy(train.labels.begin(), train.labels.end(), table.labels.begin());
  }

  CleaningInput input{
      .data = {table.classes, std::move(train), std::move(*trusted), std::move(test), std::move(truth)},
      .table = {},
      .row_numbers = {rows.train.begin(), rows.train.end()},
      .train_source = {},
      .trusted_source = {},
      .test_source = {},
      .notes = std::move(notes),
      .choices = {scaling_choice(options, scaling, table)},
  };
  for (auto& number : input.row_numbers) ++number;
  input.table = std::move(table);
  name_sources(options, rows_of_file, input);
  if (input.data.true_labels) {
    const auto& known = *input.data.true_labels;
    input.missing_truths = static_cast<std::size_t>(std::count(known.begin(), known.end(), -1));
  }
  return input;
}

}  // namespace bilevel
