// Every sentence that refuses an input.
#include "bilevel/cleaning_input.hpp"
#include "data/files.hpp"

namespace bilevel {
namespace {

using data::expect_error;

class CleaningInputErrors : public data::DataTest {
 protected:
  CleaningInputOptions good() const {
    CleaningInputOptions options;
    options.train = file("train.csv", "size,label\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n");
    options.hold_out = 0.34;
    return options;
  }
  CleaningInputOptions with_valid() const {
    auto options = good();
    options.hold_out = CleaningInputOptions{}.hold_out;
    options.valid = file("valid.csv", "size,label\n1,a\n2,b\n");
    return options;
  }
  static CleaningInputOptions named() {
    CleaningInputOptions options;
    options.dataset = "fashion-mnist";
    return options;
  }
  static void refuse_option(const CleaningInputOptions& options, std::initializer_list<std::string_view> parts) {
    expect_error<InvalidOption>([&] { read_cleaning_input(options); }, parts);
  }
  static void refuse_input(const CleaningInputOptions& options, std::initializer_list<std::string_view> parts) {
    expect_error<InvalidInput>([&] { read_cleaning_input(options); }, parts);
  }
};

TEST_F(CleaningInputErrors, TheGoodOnesAreGood) {
  EXPECT_EQ(read_cleaning_input(good()).data.train.labels.size(), 4U);
  EXPECT_EQ(read_cleaning_input(with_valid()).data.train.labels.size(), 6U);
}

TEST_F(CleaningInputErrors, ExactlyOneSource) {
  refuse_option({}, {"no training data", "'train'", "'dataset'"});
  auto options = good();
  options.dataset = "fashion-mnist";
  refuse_option(options, {"either 'train' or 'dataset'"});
  options = named();
  options.dataset = "fashion-mnits";
  refuse_input(options, {"'fashion-mnits' is unknown", "nearest: 'fashion-mnist'"});
}

TEST_F(CleaningInputErrors, WhatDoesNotGoWithANamedDataSet) {
  const auto refuse = [](auto set, std::string_view name) {
    auto options = named();
    set(options);
    refuse_option(options, {name, "does not go with 'dataset'"});
  };
  refuse([](auto& o) { o.valid = "v.csv"; }, "'valid'");
  refuse([](auto& o) { o.test = "t.csv"; }, "'test'");
  refuse([](auto& o) { o.truth = "t.csv"; }, "'truth'");
  refuse([](auto& o) { o.label = "a"; }, "'label'");
  refuse([](auto& o) { o.drop = {"a"}; }, "'drop'");
  refuse([](auto& o) { o.header = data::Header::no; }, "'header'");
  refuse([](auto& o) { o.hold_out = 0.1; }, "'hold-out'");
}

TEST_F(CleaningInputErrors, WhatDoesNotGoWithFiles) {
  auto options = good();
  options.train_rows = 3;
  refuse_option(options, {"'train-rows' needs 'dataset'"});
  options = good();
  options.valid_rows = 3;
  refuse_option(options, {"'valid-rows' needs 'dataset'", "'hold-out'"});
  options = with_valid();
  options.hold_out = 0.5;
  refuse_option(options, {"'hold-out' does not go with 'valid'"});
  options = good();
  options.corruption = data::Corruption::pairwise;
  refuse_option(options, {"'corruption' needs 'corrupt'"});
  options = good();
  options.corrupt = 0.1;
  options.truth = "truth";
  refuse_option(options, {"'corrupt' and 'truth' do not go together"});
}

TEST_F(CleaningInputErrors, CsvOptionsForOtherFormats) {
  auto options = with_valid();
  options.train = file("a.libsvm", "+1 1:3\n-1 2:4\n");
  options.label = "size";
  refuse_option(options, {"option 'label' is about CSV files", "a LIBSVM file"});
  options.label.clear();
  options.drop = {"size"};
  refuse_option(options, {"option 'drop' is about CSV files"});
  options.drop.clear();
  options.header = data::Header::yes;
  refuse_option(options, {"option 'header' is about CSV files"});
}

TEST_F(CleaningInputErrors, NumbersOutOfRange) {
  auto options = good();
  options.hold_out = 1;
  refuse_option(options, {"'hold-out'", "'1'", "< 1"});
  options = good();
  options.corrupt = 1.5;
  refuse_option(options, {"'corrupt'", "1.5", "from 0 to 1"});
  options = named();
  options.train_rows = 1;
  refuse_option(options, {"'train-rows'", ">= 2"});
}

TEST_F(CleaningInputErrors, OneClass) {
  auto options = with_valid();
  options.valid = file("valid.csv", "size,label\n1,a\n2,a\n");
  refuse_input(options, {"the 2 trusted rows are all of the class 'a'", "cannot tell"});
  options = good();
  options.hold_out = 0.1;
  refuse_input(options, {"the 1 trusted rows are all of the class", "hold out a larger share"});
  options = good();
  options.train = file("one.csv", "size,label\n1,a\n2,a\n");
  refuse_input(options, {"at least two classes"});
}

TEST_F(CleaningInputErrors, Truths) {
  auto options = good();
  options.truth = file("truth", "a\nb\na\n");
  refuse_input(options, {"truth: holds 3 labels", "holds 6 rows"});
  options.truth = file("truth", "a\nb\naa\nb\na\nb\n");
  refuse_input(options, {"line 3 (row 3)", "'aa'", "nearest: 'a'"});
  options.truth = path("none");
  refuse_input(options, {"none"});
}

TEST_F(CleaningInputErrors, SentencesOfTheReaders) {
  auto options = good();
  options.label = "labels";
  refuse_input(options, {"no column 'labels'", "nearest: 'label'"});
  options = with_valid();
  options.test = file("test.csv", "size,label\n1,c\n");
  refuse_input(options, {"test.csv", "'c'"});
  options = with_valid();
  options.valid = file("valid.csv", "width,label\n1,a\n2,b\n");
  refuse_input(options, {"valid.csv", "lacks the column 'size'"});
}

}  // namespace
}  // namespace bilevel
