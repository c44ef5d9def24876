#include "applications/input_options.hpp"

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

void add_header(OptionTable& table, data::Header& header) {
  table.add("header", header, "CSV: whether the first line holds column names; auto: decided by what it holds",
            {{"auto", data::Header::automatic}, {"yes", data::Header::yes}, {"no", data::Header::no}});
}

void add_scaling(OptionTable& table, data::Scaling& scaling, const std::string& fitted_on,
                 const std::string& automatic) {
  table.add(
      "scaling", scaling,
      fmt::format("of features, fitted on {}: to mean 0 and deviation 1 (standardize; sparse ones keep their zeros), "
                  "to at most 1 (unit: pixels / 255), or none; auto: {}",
                  fitted_on, automatic),
      {{"auto", data::Scaling::automatic},
       {"standardize", data::Scaling::standardize},
       {"unit", data::Scaling::unit},
       {"none", data::Scaling::none}});
}

void refuse(bool condition, std::string_view sentence) {
  if (condition) throw InvalidOption(std::string(sentence));
}

bool from_dataset(const std::string& dataset, const std::string& train) {
  refuse(dataset.empty() && train.empty(),
         "no training data: give a file with 'train', as in --train rows.csv, or a data set's name with 'dataset'");
  refuse(!dataset.empty() && !train.empty(), "give either 'train' or 'dataset', not both");
  return !dataset.empty();
}

void refuse_with_dataset(bool given, std::string_view option, std::string_view why) {
  if (given) throw InvalidOption(fmt::format("option '{}' does not go with 'dataset': {}", option, why));
}

void refuse_test_with_dataset(const std::string& test) {
  refuse_with_dataset(!test.empty(), "test", "the data set has test rows of its own");
}

void refuse_label_with_dataset(const std::string& label) {
  refuse_with_dataset(!label.empty(), "label", "it chooses a column of a CSV file given with 'train'");
}

}  // namespace bilevel
