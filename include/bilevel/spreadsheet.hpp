// Text in CSV files that spreadsheets will open.
#pragma once

#include <string>
#include <string_view>

namespace bilevel::data {

/// The text of a CSV field that no spreadsheet runs as a formula: with an apostrophe before it if it begins with =, +,
/// - or @ (behind blanks, too) and is no number; "+1" counts as none. read_table takes the apostrophe off again, so
/// that what is written and read is the same text. write_cleaned_csv does this to the fields of the records that it
/// copies.
std::string spreadsheet_text(std::string_view text);

}  // namespace bilevel::data
