// Options: lines "name value" as from the command line, and the whole as a settings file; what was accepted is written
// and read again unchanged.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/options.hpp"
#include "bilevel/status.hpp"
#include "fuzz/target.hpp"

namespace {

enum class Plan { store, checkpoint };

// One option of each kind.
struct Settings {
  int steps = 20;
  std::optional<long> stride;
  std::uint64_t seed = 1;
  double tolerance = 1e-6;
  std::optional<double> step_size;
  double time_limit = std::numeric_limits<double>::infinity();
  bool warm_start = true;
  Plan plan = Plan::store;
  std::string solver = "cg";
  std::string label = "y";
  std::vector<std::string> drop;
};

void describe(bilevel::OptionTable& table, Settings& s) {
  using namespace bilevel;
  table.add("solver", s.solver, "the linear solver", one_of({"cg", "minres"}));
  table.group("Follower")
      .add("steps", s.steps, "steps of the follower", at_least(1), at_most(1000))
      .add("stride", s.stride, "steps between checkpoints", at_least(1))
      .add("tolerance", s.tolerance, "stop at |g| < tolerance", greater_than(0), less_than(1))
      .add("step-size", s.step_size, "length of a step", greater_than(0))
      .add("warm-start", s.warm_start, "start from the last answer")
      .add("plan", s.plan, "what is kept", {{"store", Plan::store}, {"checkpoint", Plan::checkpoint}});
  table.group("Run")
      .add("seed", s.seed, "of all random numbers")
      .add("time-limit", s.time_limit, "seconds", or_infinity(at_least(0)))
      .add("label", s.label, "a column's name", "a column")
      .add("drop", s.drop, "columns to leave out");
}

void expect_round_trip(const Settings& settings) {
  Settings copy = settings, read;
  auto table = bilevel::described(copy), other = bilevel::described(read);
  const auto text = bilevel::to_toml(table);
  try {
    bilevel::set_from_toml(other, text, "written");
  } catch (const bilevel::InvalidOption& refusal) {
    std::fprintf(stderr, "%s\n%s\n", refusal.what(), text.c_str());
    bilevel::testing::demand(false, "what was written is read again");
  }
  bilevel::testing::demand(table.all_texts() == other.all_texts(), "what was written is read as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = bilevel::testing::text_of(data, size);
  Settings as_file, as_words;
  auto file = bilevel::described(as_file), words = bilevel::described(as_words);
  try {
    bilevel::set_from_toml(file, text, "fuzz.toml");
  } catch (const bilevel::InvalidOption& refusal) {
    bilevel::testing::demand(std::string_view(refusal.what()).starts_with("fuzz.toml:"),
                             "a refusal begins with the place");
  }
  expect_round_trip(as_file);
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = text.substr(begin, end - begin);
    const auto blank = std::min(line.find(' '), line.size());
    begin = end + 1;
    // Known: a value that is not UTF-8, such as a file name in Latin-1, is accepted and cannot be written as TOML.
    if (std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) continue;
    try {
      words.set(line.substr(0, blank), line.substr(std::min(blank + 1, line.size())));
    } catch (const bilevel::InvalidOption&) {
    }
  }
  expect_round_trip(as_words);
  return 0;
}
