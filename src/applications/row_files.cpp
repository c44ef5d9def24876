#include "applications/row_files.hpp"

#include <utility>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

void describe(OptionTable& table, TextInputOptions& options) {
  table
      .add("text", options.text,
           "CSV: the column that holds a text, by name or number from 1; none: tables of features", "a column")
      .group("Texts")
      .add("buckets", options.buckets, "texts: the number of features that words are hashed into", between(16, 1 << 24))
      .add("mail-headers", options.mail_headers, "texts: keep the headers of messages that are e-mails");
}

RowFiles::RowFiles(const std::string& first, data::ReadOptions tables, const TextInputOptions& texts)
    : are_texts_(!texts.text.empty() || data::is_text(first)),
      tables_(std::move(tables)),
      texts_{
          .buckets = texts.buckets, .skip_headers = !texts.mail_headers, .text = texts.text, .label = tables_.label} {
  if (!are_texts_) return;
  if (!tables_.drop.empty()) throw InvalidOption("option 'drop' says nothing about texts");
  if (tables_.header != data::Header::automatic) throw InvalidOption("option 'header' says nothing about texts");
}

data::Table RowFiles::read(const std::string& spec) const {
  return are_texts_ ? data::read_text(spec, texts_) : data::read_table(spec, tables_);
}

data::Table RowFiles::read_like(const std::string& spec, const data::Table& training) const {
  if (are_texts_) return data::read_text_like(spec, training, texts_);
  if (data::is_text(spec)) {
    throw InvalidInput(
        fmt::format("{} holds texts, but {} is a table; for a CSV file of texts say which column they "
                    "stand in: --text COLUMN",
                    spec, training.source));
  }
  return data::read_table_like(spec, training, tables_);
}

}  // namespace bilevel
