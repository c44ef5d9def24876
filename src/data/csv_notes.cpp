#include "data/csv_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "bilevel/status.hpp"
#include "data/class_labels.hpp"
#include "data/number.hpp"

namespace bilevel::data {

namespace {

constexpr std::size_t kPlacesToShow = 5;

bool has_decimal_comma(std::string text) {
  const auto comma = text.find(',');
  if (comma == std::string::npos) return false;
  text[comma] = '.';
  double ignored = 0;
  return parse_number(text, ignored);
}

void note_encoded(Table& table, const std::vector<ColumnFacts>& facts) {
  std::vector<std::string> encoded;
  for (std::size_t j = 0; j < table.encoding.size(); ++j) {
    const Column& column = table.encoding[j];
    if (column.kind != Column::Kind::categorical) continue;
    encoded.push_back(fmt::format("{} ({} from {} in row {})", in_quotes(column.name),
                                  counted(column.categories.size(), "feature"), in_quotes(facts[j].first_text.text),
                                  facts[j].first_text.row));
  }
  if (encoded.empty()) return;
  const std::size_t shown = std::min(encoded.size(), kPlacesToShow);
  const auto end = encoded.begin() + static_cast<std::ptrdiff_t>(shown);
  table.notes.push_back(fmt::format("{} encoded as one feature a category: {}{}",
                                    encoded.size() == 1 ? "a text column is" : "text columns are",
                                    fmt::join(encoded.begin(), end, ", "),
                                    encoded.size() > shown ? fmt::format(" and {} more", encoded.size() - shown) : ""));
}

}  // namespace

std::string to_string(const Place& place) {
  return fmt::format("row {} (line {}), column {}", place.row, place.line, in_quotes(place.column));
}

void Faults::add(Place place) {
  if (first.size() < kPlacesToShow) first.push_back(std::move(place));
  ++count;
}

void Faults::add(const Faults& other) {
  for (const Place& place : other.first) {
    if (first.size() < kPlacesToShow) first.push_back(place);
  }
  count += other.count;
}

void Faults::raise(const std::string& name, const std::string& what, const std::string& remedy) const {
  if (count == 0) return;
  std::vector<std::string> places;
  for (const Place& place : first) {
    places.push_back(to_string(place) + (place.text.empty() ? "" : fmt::format(" has {}", in_quotes(place.text))));
  }
  throw InvalidInput(fmt::format("{}: {}: {}{}; {}", name, counted(count, what), fmt::join(places, "; "),
                                 count > first.size() ? fmt::format("; and {} more", count - first.size()) : "",
                                 remedy));
}

void note_columns(Table& table, const std::vector<ColumnFacts>& facts) {
  note_encoded(table, facts);
  constexpr double kSingleEpsilon = 6e-8;      // half a unit in the last place of a float
  constexpr double kTolerableRounding = 1e-3;  // of the range of the values
  constexpr std::size_t kEnoughRows = 10;
  std::size_t rounded = 0;
  std::size_t counting = 0;
  for (std::size_t j = 0; j < table.encoding.size(); ++j) {
    const Column& column = table.encoding[j];
    if (column.kind != Column::Kind::numeric) continue;
    const double range = facts[j].largest - facts[j].smallest;
    const double magnitude = std::max(std::abs(facts[j].largest), std::abs(facts[j].smallest));
    if (range > 0 && magnitude * kSingleEpsilon > kTolerableRounding * range && ++rounded <= kPlacesToShow) {
      table.notes.push_back(
          fmt::format("the column {} lies between {} and {}, where single precision rounds away its differences; "
                      "subtract an offset in the file",
                      in_quotes(column.name), facts[j].smallest, facts[j].largest));
    }
    if (facts[j].counts_up && table.rows >= kEnoughRows && ++counting <= kPlacesToShow) {
      table.notes.push_back(
          fmt::format("the column {} counts the rows; drop it if it is not a feature", in_quotes(column.name)));
    }
  }
  if (rounded > kPlacesToShow) {
    table.notes.push_back(
        fmt::format("single precision rounds away the differences of {} more columns", rounded - kPlacesToShow));
  }
  if (counting > kPlacesToShow) {
    table.notes.push_back(fmt::format("{} more columns count the rows", counting - kPlacesToShow));
  }
}

void check_categories(const Table& table, const Column& column, const ColumnFacts& facts) {
  const auto& texts = column.categories;
  if (std::all_of(texts.begin(), texts.end(), has_decimal_comma)) {
    throw InvalidInput(fmt::format("{}: the column {} has decimal commas ({}); write decimal points", table.source,
                                   in_quotes(column.name), in_quotes(texts.front())));
  }
  if (too_many_values(texts.size(), table.rows)) {
    throw InvalidInput(fmt::format(
        "{}: the column {} has {} different texts in {} (not a number: {} in row {}, line "
        "{}), too many to be categories; {}",
        table.source, in_quotes(column.name), texts.size(), counted(table.rows, "row"),
        in_quotes(facts.first_text.text), facts.first_text.row, facts.first_text.line,
        facts.first_text.line == 1 ? "the first line was read as data: is it a header?" : "drop the column"));
  }
}

}  // namespace bilevel::data
