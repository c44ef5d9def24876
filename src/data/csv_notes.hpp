// What is wrong or worth telling about the values of CSV columns: collected while reading, reported once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bilevel/data.hpp"

namespace bilevel::data {

/// A field: data row (1-based, without header) and first line of its record.
struct Place {
  std::size_t row = 0;
  std::size_t line = 0;
  std::string column;
  std::string text;
};

/// "row 17 (line 18), column 'age'".
std::string to_string(const Place& place);

/// Fields that share one fault: the first few and how many.
struct Faults {
  std::vector<Place> first;
  std::size_t count = 0;

  void add(Place place);
  void add(const Faults& other);
  /// Throws InvalidInput "<name>: <count> <what>: <places>; <remedy>" if there are any.
  void raise(const std::string& name, const std::string& what, const std::string& remedy) const;
};

/// What is known of a column's values after the first pass.
struct ColumnFacts {
  Faults not_finite;
  Place first_text;     ///< the first field that is not a number; row 0 if all are
  double smallest = 0;  ///< of the numbers, before rounding to single precision
  double largest = 0;
  double previous = 0;
  bool counts_up = true;  ///< every value is the previous one plus 1

  /// Takes the number of row `row` (1-based) into account.
  void see(double value, std::size_t row) {
    if (row == 1) {
      smallest = largest = value;
    } else {
      counts_up = counts_up && value == previous + 1;
      if (value < smallest) smallest = value;
      if (value > largest) largest = value;
    }
    previous = value;
  }
};

/// Appends notes on one-hot encoded columns, row numbers, and values that single precision does not tell apart.
void note_columns(Table& table, const std::vector<ColumnFacts>& facts);

/// Throws InvalidInput if a text column has decimal commas, or too many different texts to be categories.
void check_categories(const Table& table, const Column& column, const ColumnFacts& facts);

}  // namespace bilevel::data
