// Looks into the scripts of pictures, and has gnuplot draw them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "pictures/gnuplot.hpp"
#include "run_directory/temporary.hpp"

namespace bilevel::cli {

using Rows = std::vector<std::vector<double>>;

inline bool has_block(const Script& script, const std::string& name) {
  return std::any_of(script.data.begin(), script.data.end(), [&](const DataBlock& b) { return b.name() == name; });
}

/// The rows of a block; an empty one where a line ends.
inline Rows rows_of(const Script& script, const std::string& name) {
  Rows rows;
  for (const auto& block : script.data) {
    if (block.name() != name) continue;
    std::istringstream text(block.text());
    for (std::string line; std::getline(text, line);) {
      std::istringstream words(line);
      rows.emplace_back();
      for (std::string word; words >> word;) rows.back().push_back(std::stod(word));
    }
  }
  return rows;
}

inline void expect_drawn(const Script& script) {
  const testing::TemporaryDirectory temporary;
  draw(script, temporary.path() / "picture.png");
  EXPECT_TRUE(testing::content_of(temporary.path() / "picture.png").starts_with("\x89PNG"));
}

}  // namespace bilevel::cli
