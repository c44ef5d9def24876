// What BGS-Opt's unrolled steps, warm start and correction are worth: bilevel_selection. Two minutes.
#include <fmt/format.h>

#include <exception>

#include "selection/tables.hpp"

int main() {
  try {
    bilevel::bench::print_bias_table(40, 40);
    bilevel::bench::print_bias_table(2000, 1000);
    bilevel::bench::print_cost_tables();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_selection: {}\n", error.what());
    return 1;
  }
}
