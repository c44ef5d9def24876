#include "bilevel/tuning_input.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "applications/folds.hpp"
#include "applications/table_features.hpp"
#include "applications/tuning_groups.hpp"
#include "applications/tuning_input_options.hpp"
#include "applications/tuning_rows.hpp"
#include "applications/tuning_targets.hpp"

namespace bilevel {

namespace {

/// A column of numbers with more values than this, or with fractions, is a quantity rather than a class.
constexpr std::size_t kMostNumberedClasses = 20;

struct TargetScale {
  double mean = 0, deviation = 1;
};

TargetScale fit_target_scale(const std::vector<double>& targets, const std::string& source) {
  const Eigen::Map<const Vec> all(targets.data(), static_cast<Index>(targets.size()));
  const TargetScale scale{all.mean(), std::sqrt((all.array() - all.mean()).square().mean())};
  if (!std::isfinite(scale.deviation)) {
    throw InvalidInput(fmt::format("{}: the targets are too large to be squared; use another unit", source));
  }
  if (!(scale.deviation > 0)) {
    throw InvalidInput(fmt::format("{}: the target is {} in all {} training rows: there is nothing to learn", source,
                                   targets.front(), targets.size()));
  }
  return scale;
}

class Reader {
 public:
  explicit Reader(const TuningInputOptions& options) : options_(options), named_(!options.dataset.empty()) {
    csv_.label = options.label;
    csv_.drop = options.drop;
    csv_.header = options.header;
    if (named_) dataset_ = data::named_dataset(options.dataset);
    csv_.class_names = dataset_.class_names;
  }

  TuningInput read() {
    const std::string spec = named_ ? dataset_.train : options_.train;
    decide_task(spec);
    auto whole = read_targets(spec, nullptr);
    check_model_size(whole.table);
    note("training", whole.table.notes);
    const auto folds = folds_in_use(whole.table.rows);
    const auto plan = plan_rows(options_, whole, folds);

    // The scale is that of the rows that train; with several folds every row does in all folds but one.
    auto fitted = plan.pool;
    if (plan.validation.size() == 1) {
      fitted.clear();
      for (const auto position : others(plan.validation.front(), plan.pool.size()))
        fitted.push_back(plan.pool[position]);
    }
    scaling_ = data::fit_standardizer(whole.table, fitted, options_.scaling);
    if (regress_) target_scale_ = fit_target_scale(std::get<std::vector<double>>(pick(whole.targets, fitted)), spec);
    scale(whole.targets);
    choose_precision(plan.pool.size() * whole.table.features);
    choices_.push_back({"scaling", options_.scaling == data::Scaling::automatic ? "auto" : "given",
                        std::string(data::to_string(scaling_.scaling)),
                        "features of one scale: equal weights then mean equal penalties"});

    TuningRows all{table_features(whole.table, plan.pool, scaling_, precision_), pick(whole.targets, plan.pool)};
    std::vector<TuningFold> parts;
    for (const auto& left_out : plan.validation) {
      parts.push_back({part(all, others(left_out, plan.pool.size())), part(all, left_out)});
    }
    const std::size_t rows_of_file = whole.table.rows;
    const auto table = data::subset_without_features(whole.table, plan.pool);
    whole = {};  // by far the largest part: gone before the next file is read
    if (parts.empty()) parts.push_back({all, rows_like(options_.valid, table, "validation")});
    const auto test_spec = named_ ? dataset_.test : options_.test;
    std::optional<TuningRows> test;
    if (!test_spec.empty()) test = rows_like(test_spec, table, "test");
    notes_.insert(notes_.end(), scaling_.notes.begin(), scaling_.notes.end());

    auto groups = read_groups(table, options_.groups);
    TuningInput input{.data = {regress_ ? 0 : table.classes, std::move(parts), std::move(all), std::move(test),
                               std::move(groups.of_feature)},
                      .feature_names = {},
                      .class_names = regress_ ? std::vector<std::string>{} : table.class_names,
                      .group_names = std::move(groups.names),
                      .scaling = scaling_,
                      .target_mean = target_scale_.mean,
                      .target_scale = target_scale_.deviation,
                      .train_source = {},
                      .valid_source = {},
                      .test_source = test_spec,
                      .notes = std::move(notes_),
                      .choices = std::move(choices_)};
    for (std::size_t j = 0; j < table.features; ++j) input.feature_names.push_back(table.feature_name(j));
    name_sources(folds, rows_of_file, input);
    return input;
  }

 private:
  void decide_task(const std::string& spec) {
    if (options_.task == TuningTask::classify) return;
    const bool asked = options_.task == TuningTask::regress;
    if (named_ || !is_csv(spec)) {
      if (asked)
        throw InvalidOption(fmt::format("task 'regress' reads its targets from CSV files, and '{}' is none", spec));
      return;
    }
    const auto column = read_target_column(spec, csv_);
    regress_ = asked || (column.all_numbers && (column.has_fractions || column.different > kMostNumberedClasses));
    if (asked) return;
    choices_.push_back({"task", "auto", regress_ ? "regress" : "classify",
                        !column.all_numbers ? fmt::format("'{}' holds texts", column.name)
                        : regress_
                            ? fmt::format("'{}' holds {} different numbers", column.name, column.different)
                            : fmt::format("'{}' holds {} different whole numbers", column.name, column.different)});
  }

  /// 5 unless something else says what validates.
  std::optional<std::size_t> folds_in_use(std::size_t rows) {
    constexpr std::size_t kFolds = 5;
    if (options_.folds) return options_.folds;
    if (named_ || !options_.valid.empty() || options_.hold_out) return {};
    const std::size_t folds = std::min(kFolds, rows);
    choices_.push_back({"folds", "auto", fmt::format("{}", folds), "no validation file was given"});
    return folds;
  }

  void choose_precision(std::size_t numbers) {
    if (options_.precision != TuningPrecision::automatic) {
      precision_ = options_.precision == TuningPrecision::float64 ? Precision::float64 : Precision::float32;
      return;
    }
    precision_ = automatic_precision(numbers);
    choices_.push_back({"precision", "auto", std::string(to_string(precision_)),
                        precision_ == Precision::float64 ? "the table is small" : "twice as fast on a large table"});
  }

  TargetTable read_targets(const std::string& spec, const data::Table* training) const {
    if (regress_) {
      auto read = read_real_table(spec, training, csv_);
      return {std::move(read.table), std::move(read.targets)};
    }
    auto table = training == nullptr ? data::read_table(spec, csv_) : data::read_table_like(spec, *training, csv_);
    auto labels = std::move(table.labels);
    table.labels.assign(labels.size(), 0);
    return {std::move(table), std::move(labels)};
  }

  void scale(Targets& targets) const {
    auto* real = std::get_if<std::vector<double>>(&targets);
    if (real == nullptr) return;
    for (auto& target : *real) target = (target - target_scale_.mean) / target_scale_.deviation;
  }

  TuningRows rows_like(const std::string& spec, const data::Table& training, std::string_view which) {
    auto read = read_targets(spec, &training);
    note(which, read.table.notes);
    scale(read.targets);
    return {table_features(read.table, scaling_, precision_), std::move(read.targets)};
  }

  static TuningRows part(const TuningRows& all, const std::vector<std::uint32_t>& positions) {
    return {all.features.subset(positions), pick(all.targets, positions)};
  }

  void note(std::string_view which, const std::vector<std::string>& sentences) {
    for (const auto& sentence : sentences) notes_.push_back(fmt::format("{} rows: {}", which, sentence));
  }

  void name_sources(std::optional<std::size_t> folds, std::size_t rows_of_file, TuningInput& input) const {
    if (named_) {
      input.train_source = fmt::format("drawn from the {} training rows of {}", rows_of_file, options_.dataset);
      input.valid_source =
          folds ? fmt::format("each of {} folds of these in turn", *folds) : "drawn from the others of these";
      input.test_source = fmt::format("all test rows of {}", options_.dataset);
      return;
    }
    input.train_source = options_.train;
    input.valid_source = options_.valid;
    if (folds) input.valid_source = fmt::format("each of {} folds of the training rows in turn", *folds);
    if (options_.hold_out) {
      input.train_source = fmt::format("the other rows of {}", options_.train);
      input.valid_source = fmt::format("held out from the {} rows of {}", rows_of_file, options_.train);
    }
  }

  const TuningInputOptions& options_;
  bool named_;
  data::NamedDataset dataset_;
  data::ReadOptions csv_;
  bool regress_ = false;
  Precision precision_ = Precision::float64;
  data::Standardizer scaling_;
  TargetScale target_scale_;
  std::vector<std::string> notes_;
  Choices choices_;
};

}  // namespace

TuningInput read_tuning_input(const TuningInputOptions& options) {
  check_tuning_input(options);
  return Reader(options).read();
}

}  // namespace bilevel
