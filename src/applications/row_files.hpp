// Files of labelled rows, tables or texts: all read alike.
#pragma once

#include <string>

#include "bilevel/data.hpp"
#include "bilevel/text.hpp"
#include "bilevel/text_input.hpp"

namespace bilevel {

/// Reads files as the first of them is: as tables (data::read_table) or as texts (data::read_text), with its classes
/// and features.
class RowFiles {
 public:
  /// `first` is the specification that decides. Throws InvalidOption for options of tables where it is a text.
  RowFiles(const std::string& first, data::ReadOptions tables, const TextInputOptions& texts);

  bool are_texts() const { return are_texts_; }
  /// The file that defines classes and features. Throws as data::read_table or data::read_text.
  data::Table read(const std::string& spec) const;
  /// Another file, with those of `training`. Throws InvalidInput also for texts where `training` is a table.
  data::Table read_like(const std::string& spec, const data::Table& training) const;

 private:
  bool are_texts_;
  data::ReadOptions tables_;
  data::TextOptions texts_;
};

}  // namespace bilevel
