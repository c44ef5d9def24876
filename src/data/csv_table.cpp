#include "data/csv_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "bilevel/status.hpp"
#include "data/class_labels.hpp"
#include "data/csv_layout.hpp"
#include "data/csv_lexer.hpp"
#include "data/csv_notes.hpp"
#include "data/missing.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

using Kind = Column::Kind;

constexpr double kStoredBytes = sizeof(float) + sizeof(std::uint32_t);  // of a value in a sparse row

// The first pass reads numbers and labels and finds out which columns are text; the second, needed only if there are
// any, reads those. Numbers are staged row-major, which is already the result if all columns are numeric.
class CsvReader {
 public:
  CsvReader(Table& table, std::string_view text, const std::string& name, const Table* training,
            const ReadOptions& options, CsvLayout layout)
      : t_(table),
        text_(text),
        name_(name),
        training_(training),
        options_(options),
        missing_(options.missing),
        layout_(std::move(layout)),
        facts_(layout_.columns.size()) {}

  void read() {
    for (std::size_t j = 0; j < layout_.columns.size(); ++j) {
      if (layout_.columns[j].kind == Kind::numeric) staged_.push_back(j);
    }
    reserve();
    read_numbers_and_labels();
    report_faults();
    read_categories();
    if (training_ == nullptr) number_features();
    assemble();
  }

  const TextCodes& label_codes() const { return labels_; }
  const std::vector<ColumnFacts>& facts() const { return facts_; }

 private:
  // Calls `each` with every data record.
  template <typename Each>
  void for_records(Each each) {
    CsvLexer lexer(text_, layout_.separator, name_);
    if (layout_.has_header) lexer.next();
    for (std::size_t row = 1; lexer.next(); ++row) each(lexer, row);
  }

  // Growing by doubling would hold three times the numbers at its peak. No more rows than line ends, and no more than
  // the fields and separators of so many records need.
  void reserve() {
    const auto ends = static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n'));
    const std::size_t rows = std::min(ends + 1, text_.size() / (2 * layout_.width - 1) + 1);
    dense_.reserve(rows * staged_.size());
    t_.source_lines.reserve(rows);
    t_.labels.reserve(rows);
  }

  void read_numbers_and_labels() {
    for_records([this](const CsvLexer& record, std::size_t row) {
      check_width(layout_, record, row, name_);
      for (const std::size_t j : staged_) dense_.push_back(read_number(record, row, j));
      for (std::size_t j = 0; j < layout_.columns.size(); ++j) {
        const Kind kind = layout_.columns[j].kind;
        if (kind == Kind::label) read_label(record, row, j);
        if (kind == Kind::categorical && training_ != nullptr) check_present(record, row, j);
      }
      t_.source_lines.push_back(record.line());
    });
    t_.rows = t_.source_lines.size();
    if (t_.rows == 0) {
      throw InvalidInput(fmt::format("{}: holds {} and no rows", name_, layout_.has_header ? "a header" : "nothing"));
    }
  }

  std::string_view value(const CsvLexer& record, std::size_t column) {
    return record.fields()[layout_.place[column]].value(buffer_);
  }

  Place place(const CsvLexer& record, std::size_t row, std::size_t column, std::string_view text) const {
    return {.row = row, .line = record.line(), .column = layout_.columns[column].name, .text = std::string(text)};
  }

  float read_number(const CsvLexer& record, std::size_t row, std::size_t j) {
    const std::string_view text = value(record, j);
    Column& column = layout_.columns[j];
    if (column.kind == Kind::categorical) {
      check_present(record, row, j);
      return 0;
    }
    double number = 0;
    const bool is_number = parse_number(text, number);
    const auto rounded = static_cast<float>(number);
    if (is_number && std::isfinite(rounded) && !missing_.has_numbers()) {
      facts_[j].see(number, row);
      return rounded;
    }
    if (missing_.contains(text)) {
      missing_fields_.add(place(record, row, j, ""));
    } else if (is_number && std::isfinite(rounded)) {
      facts_[j].see(number, row);
    } else if (is_number) {
      facts_[j].not_finite.add(place(record, row, j, text));
    } else if (training_ != nullptr) {
      not_numbers_.add(place(record, row, j, text));
    } else {
      column.kind = Kind::categorical;
      facts_[j].first_text = place(record, row, j, text);
    }
    return rounded;
  }

  void read_label(const CsvLexer& record, std::size_t row, std::size_t j) {
    const std::string_view text = value(record, j);
    if (missing_.contains(text)) {
      missing_fields_.add(place(record, row, j, ""));
      return;
    }
    t_.labels.push_back(labels_.code(text));
  }

  void check_present(const CsvLexer& record, std::size_t row, std::size_t j) {
    if (missing_.contains(value(record, j))) missing_fields_.add(place(record, row, j, ""));
  }

  void report_faults() const {
    missing_fields_.raise(name_, "missing value", "fill them in or remove the rows");
    Faults not_finite;
    for (std::size_t j = 0; j < facts_.size(); ++j) {
      if (layout_.columns[j].kind == Kind::numeric) not_finite.add(facts_[j].not_finite);
    }
    not_finite.raise(name_, "value", "features must be finite in single precision (below 3.4e38)");
    not_numbers_.raise(name_, "value", "the column is numeric in the training data");
  }

  void read_categories() {
    std::vector<std::size_t> text_columns;
    for (std::size_t j = 0; j < layout_.columns.size(); ++j) {
      if (layout_.columns[j].kind == Kind::categorical) text_columns.push_back(j);
    }
    text_columns_ = text_columns;
    if (text_columns.empty()) return;
    std::vector<TextCodes> texts(layout_.columns.size());
    codes_.resize(layout_.columns.size());
    for (const std::size_t j : text_columns) codes_[j].reserve(t_.rows);
    for_records([&](const CsvLexer& record, std::size_t) {
      for (const std::size_t j : text_columns) codes_[j].push_back(texts[j].code(value(record, j)));
    });
    for (const std::size_t j : text_columns) {
      Column& column = layout_.columns[j];
      if (training_ == nullptr) {
        column.categories = texts[j].texts();
        std::sort(column.categories.begin(), column.categories.end());
        check_categories(t_, column, facts_[j]);
      }
      number_categories(column, texts[j], codes_[j]);
    }
  }

  // Codes become positions in column.categories, -1 for a text that the training data lacks.
  void number_categories(const Column& column, const TextCodes& texts, std::vector<std::int32_t>& codes) {
    std::map<std::string_view, std::int32_t> known;
    for (const std::string& category : column.categories) {
      known.emplace(category, static_cast<std::int32_t>(known.size()));
    }
    std::vector<std::int32_t> position;
    std::vector<std::string> unknown;
    for (const std::string& text : texts.texts()) {
      const auto found = known.find(text);
      position.push_back(found == known.end() ? -1 : found->second);
      if (found == known.end()) unknown.push_back(text);
    }
    for (std::int32_t& code : codes) code = position[static_cast<std::size_t>(code)];
    if (!unknown.empty()) {
      const auto fields = static_cast<std::size_t>(std::count(codes.begin(), codes.end(), -1));
      t_.notes.push_back(fmt::format("the column {} has {} that the training data lacks, in {}: {}; encoded as zeros",
                                     in_quotes(column.name), counted(unknown.size(), "text"), counted(fields, "row"),
                                     list_in_quotes(unknown)));
    }
  }

  // Decides constant columns and the position of every column's features (training data only).
  void number_features() {
    std::vector<std::string> constant;
    std::size_t next = 0;
    for (std::size_t j = 0; j < layout_.columns.size(); ++j) {
      Column& column = layout_.columns[j];
      const bool is_constant = column.kind == Kind::numeric
                                   ? static_cast<float>(facts_[j].smallest) == static_cast<float>(facts_[j].largest)
                                   : column.kind == Kind::categorical && column.categories.size() == 1;
      if (is_constant) {
        constant.push_back(column.name);
        if (!options_.keep_constant_columns) column.kind = Kind::dropped;
      }
      column.first_feature = next;
      if (column.kind == Kind::numeric) next += 1;
      if (column.kind == Kind::categorical) next += column.categories.size();
    }
    if (!constant.empty()) {
      t_.notes.push_back(fmt::format("{} with one value in all rows: {}; {}", counted(constant.size(), "column"),
                                     list_in_quotes(constant),
                                     options_.keep_constant_columns ? "standardizing makes them 0" : "left out"));
    }
  }

  void assemble() {
    for (const Column& column : layout_.columns) {
      if (column.kind == Kind::numeric) {
        t_.feature_names.push_back(column.name);
      } else if (column.kind == Kind::categorical) {
        for (const std::string& category : column.categories) {
          t_.feature_names.push_back(column.name + "=" + category);
        }
      }
    }
    t_.features = t_.feature_names.size();
    if (t_.features == 0) throw InvalidInput(fmt::format("{}: no column is left to be a feature", name_));
    t_.sparse = training_ != nullptr ? training_->sparse : is_better_sparse();
    check_memory();
    if (t_.sparse) {
      spread_sparse();
    } else if (t_.features == staged_.size() && codes_.empty()) {
      t_.dense = std::move(dense_);
    } else {
      spread();
    }
    t_.has_header = layout_.has_header;
    t_.separator = layout_.separator;
    t_.encoding = std::move(layout_.columns);
    t_.notes.insert(t_.notes.begin(), layout_.notes.begin(), layout_.notes.end());
  }

  std::size_t stored_in_a_row() const {
    const auto is_numeric = [](const Column& column) { return column.kind == Kind::numeric; };
    return text_columns_.size() +
           static_cast<std::size_t>(std::count_if(layout_.columns.begin(), layout_.columns.end(), is_numeric));
  }

  // Small tables stay dense, whatever they hold: only dense features can be centred.
  bool is_better_sparse() const {
    constexpr double kSmall = 64 << 20;  // bytes
    constexpr double kWorthwhile = 8;
    const double dense = static_cast<double>(t_.rows) * static_cast<double>(t_.features) * sizeof(float);
    const double sparse = static_cast<double>(t_.rows) * static_cast<double>(stored_in_a_row()) * kStoredBytes;
    return !text_columns_.empty() && dense > kSmall && kWorthwhile * sparse < dense;
  }

  // All that is held at once: the file, the numbers and categories as read, and the features made of them.
  void check_memory() const {
    const auto rows = static_cast<double>(t_.rows);
    const double staged = rows * sizeof(float) * static_cast<double>(staged_.size() + text_columns_.size());
    const double row = t_.sparse ? static_cast<double>(stored_in_a_row()) * kStoredBytes + sizeof(std::size_t)
                                 : static_cast<double>(t_.features) * sizeof(float);
    const bool is_moved = !t_.sparse && text_columns_.empty();
    const double peak = static_cast<double>(text_.size()) + (is_moved ? 0 : staged) + rows * row;
    if (peak <= static_cast<double>(options_.max_bytes)) return;
    throw InvalidInput(
        fmt::format("{}: {} x {} features need {:.0f} bytes, more than the allowed {}; drop text columns", name_,
                    t_.rows, t_.features, peak, options_.max_bytes));
  }

  // Calls each(i, feature, value) for the numbers of row i and its categories, by column.
  template <typename Each>
  void for_features(std::size_t i, Each each) const {
    std::size_t k = 0;
    for (std::size_t j = 0; j < layout_.columns.size(); ++j) {
      const Column& column = layout_.columns[j];
      const bool is_staged = k < staged_.size() && staged_[k] == j;
      if (column.kind == Kind::numeric) each(column.first_feature, dense_[i * staged_.size() + k]);
      if (column.kind == Kind::categorical && codes_[j][i] >= 0) {
        each(column.first_feature + static_cast<std::size_t>(codes_[j][i]), 1.0F);
      }
      k += is_staged ? 1 : 0;
    }
  }

  void spread_sparse() {
    t_.row_starts.reserve(t_.rows + 1);
    t_.columns.reserve(t_.rows * stored_in_a_row());
    t_.values.reserve(t_.rows * stored_in_a_row());
    t_.row_starts.push_back(0);
    for (std::size_t i = 0; i < t_.rows; ++i) {
      for_features(i, [&](std::size_t feature, float value) {
        if (value == 0) return;
        t_.columns.push_back(static_cast<std::uint32_t>(feature));
        t_.values.push_back(value);
      });
      t_.row_starts.push_back(t_.columns.size());
    }
    if (training_ == nullptr) {
      t_.notes.push_back(fmt::format("of the {} features at most {} of a row are not 0: they are kept sparse",
                                     t_.features, stored_in_a_row()));
    }
  }

  void spread() {
    t_.dense.assign(t_.rows * t_.features, 0.0F);
    for (std::size_t i = 0; i < t_.rows; ++i) {
      float* const features = t_.dense.data() + i * t_.features;
      for_features(i, [&](std::size_t feature, float value) { features[feature] = value; });
    }
  }

  Table& t_;
  std::string_view text_;
  const std::string& name_;
  const Table* training_;
  const ReadOptions& options_;
  Missing missing_;
  CsvLayout layout_;
  std::vector<ColumnFacts> facts_;                // of each column
  std::vector<std::size_t> staged_;               // columns that were numeric before the first pass
  std::vector<float> dense_;                      // their values
  std::vector<std::vector<std::int32_t>> codes_;  // of each text column, the category of every row
  std::vector<std::size_t> text_columns_;         // the categorical ones
  TextCodes labels_;
  Faults missing_fields_;
  Faults not_numbers_;
  std::string buffer_;
};

}  // namespace

void read_csv(Table& table, std::string_view text, const std::string& name, const Table* training,
              const ReadOptions& options) {
  table.format = Format::csv;
  CsvLayout layout =
      training == nullptr ? decide_layout(text, name, options) : match_layout(text, name, *training, options);
  CsvReader reader(table, text, name, training, options, std::move(layout));
  reader.read();
  number_classes(table, reader.label_codes(), training, options);
  if (training == nullptr) note_columns(table, reader.facts());
}

}  // namespace bilevel::data
