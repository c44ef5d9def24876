// From files (or a named data set) to the parts that reweight() works on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/data.hpp"
#include "bilevel/reweighting.hpp"
#include "bilevel/text_input.hpp"

namespace bilevel {

struct ReweightingInputOptions {
  /// "fashion-mnist", split into two clean sources and two planted bad ones; "spam-assassin", whose five folders are
  /// the sources; or
  std::string dataset;
  /// "name=file" or "name=text": files as data::read_table takes them, texts as data::read_text does. An item without
  /// '=' continues the one before it, so that pairs of files and of folders may hold a comma.
  std::vector<std::string> sources;
  std::string valid;  // rows of the target: they define features and classes
  std::string test;   // empty: no test accuracy

  std::string label;              // CSV column of the classes
  std::vector<std::string> drop;  // CSV columns to leave out
  data::Header header = data::Header::automatic;
  TextInputOptions texts;

  std::size_t source_rows = 2000;         // fashion-mnist: rows of each clean source; bad ones have twice as many
  double noise = 0.5;                     // fashion-mnist: share of wrong labels in the mislabelled source
  std::optional<std::size_t> valid_rows;  // of a named data set; 500 images, 100 messages

  data::Scaling scaling = data::Scaling::automatic;
};
void describe(OptionTable& table, ReweightingInputOptions& options);

struct SourceNote {
  std::string name, from;
  std::size_t rows = 0;
  bool planted = false;  // made bad on purpose
};

/// What was read, and where it came from.
struct ReweightingInput {
  std::vector<SourceNote> sources;
  std::size_t valid_rows = 0, test_rows = 0, features = 0;
  std::string valid_source, test_source;
  std::vector<std::string> class_names;
  std::vector<std::string> notes;
  Choices choices;
  std::string drawn;  // what a seed decides, for people: "which rows are drawn, and which labels are wrong"
  /// The data of one repetition. Of a named data set the seed draws everything; of files the first seed takes the rows
  /// as they are, any other one as many of the target's validation rows of each class, drawn with replacement.
  std::function<ReweightingData(std::uint64_t seed)> draw;
};

/// Reads. Throws InvalidInput and InvalidOption with the sentences of the readers; a combination of options that makes
/// no sense is an InvalidOption.
ReweightingInput read_reweighting_input(const ReweightingInputOptions& options, std::uint64_t first_seed);

}  // namespace bilevel
