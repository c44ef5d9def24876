// Runs every benchmark, prints an aligned table and writes the rows as JSON. A share is bound / median; what the bound
// is, each benchmark's header says. "one read" is the time to read the pass's data once and do nothing with it.
//
//   bilevel_bench [--only kernels,minibatches] [build/bench.json]
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff_bench.hpp"
#include "bench_row.hpp"
#include "dpbg_bench.hpp"
#include "formula_bench.hpp"
#include "kernels/kernels_bench.hpp"
#include "machine_peak.hpp"
#include "minibatch_bench.hpp"
#include "network_bench.hpp"
#include "unrolled_bench.hpp"

namespace {

/// A time in the unit that leaves one to three digits before the point; empty if there is none.
std::string in_words(double seconds) {
  if (seconds <= 0.0) return "";
  if (seconds < 1e-6) return fmt::format("{:.1f} ns", 1e9 * seconds);
  if (seconds < 1e-3) return fmt::format("{:.3f} us", 1e6 * seconds);
  if (seconds < 1.0) return fmt::format("{:.3f} ms", 1e3 * seconds);
  return fmt::format("{:.3f} s ", seconds);
}

void print_table(const std::vector<BenchRow>& rows) {
  std::size_t width = 0;
  for (const BenchRow& row : rows) width = std::max(width, row.name.size());
  fmt::print("{:<{}}  {:>11}  {:>11}  {:>11}  {:>7}  {:>11}\n", "benchmark", width, "median", "best", "bound", "share",
             "one read");
  for (const BenchRow& row : rows) {
    if (row.peak_mebibytes > 0.0) {
      fmt::print("{:<{}}  {:>7.1f} MiB\n", row.name, width, row.peak_mebibytes);
      continue;
    }
    const std::string share = row.bound_seconds > 0.0 ? fmt::format("{:.1f}%", 100.0 * row.share) : "";
    const auto line =
        fmt::format("{:<{}}  {:>11}  {:>11}  {:>11}  {:>7}  {:>11}", row.name, width, in_words(row.seconds),
                    in_words(row.best_seconds), in_words(row.bound_seconds), share, in_words(row.memory_bound_seconds));
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

void write_json(const std::vector<BenchRow>& rows, const std::filesystem::path& path) {
  nlohmann::json list = nlohmann::json::array();
  for (const BenchRow& row : rows) {
    list.push_back(
        {{"name", row.name}, {"seconds", row.seconds}, {"bound_seconds", row.bound_seconds}, {"share", row.share}});
    if (row.best_seconds > 0.0) list.back()["best_seconds"] = row.best_seconds;
    if (row.memory_bound_seconds > 0.0) list.back()["memory_bound_seconds"] = row.memory_bound_seconds;
    if (row.peak_mebibytes > 0.0) list.back()["peak_mebibytes"] = row.peak_mebibytes;
  }
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path);
  file << list.dump(2) << '\n';
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

struct Suite {
  std::string_view name;
  std::vector<BenchRow> (*run)();
};

constexpr Suite kSuites[] = {
    {"kernels", bench_kernels},
    {"minibatches", bench_minibatches},
    {"networks", bench_networks},
    {"autodiff", bench_autodiff},
    {"formulas", bench_formulas},
    {"dpbg", bench_dpbg},
    {"unrolled", [] { return bench_unrolled(std::filesystem::canonical("/proc/self/exe").string()); }},
};

/// Those in a list "kernels,minibatches", in the table's order. Throws std::invalid_argument for an unknown name.
std::vector<Suite> suites_of(std::string_view list) {
  std::vector<std::string_view> wanted;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t to = std::min(list.find(',', from), list.size());
    wanted.push_back(list.substr(from, to - from));
    from = to + 1;
  }
  for (const std::string_view name : wanted) {
    if (std::ranges::find(kSuites, name, &Suite::name) != std::end(kSuites)) continue;
    std::string known;
    for (const Suite& suite : kSuites) known += fmt::format("{}{}", known.empty() ? "" : ", ", suite.name);
    throw std::invalid_argument(fmt::format("--only knows {}, but not '{}'", known, name));
  }
  std::vector<Suite> suites;
  std::ranges::copy_if(kSuites, std::back_inserter(suites),
                       [&](const Suite& suite) { return std::ranges::find(wanted, suite.name) != wanted.end(); });
  return suites;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::string_view(argv[1]) == "--unrolled-memory") {
      return measure_unrolled_memory(argv[2], std::stol(argv[3]));
    }
    std::vector<Suite> suites(std::begin(kSuites), std::end(kSuites));
    if (argc > 2 && std::string_view(argv[1]) == "--only") {
      suites = suites_of(argv[2]);
      argv += 2;
      argc -= 2;
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
      throw std::invalid_argument(fmt::format(
          "'{}' is no file to write; usage: bilevel_bench [--only LIST] [FILE.json]", argv[argc > 2 ? 2 : 1]));
    }
    const std::filesystem::path path = argc > 1 ? argv[1] : "build/bench.json";
    fmt::print("instruction set {}\n", instruction_set());
    std::vector<BenchRow> rows;
    for (const Suite& suite : suites) {
      const auto more = suite.run();
      rows.insert(rows.end(), more.begin(), more.end());
    }
    print_table(rows);
    write_json(rows, path);
    fmt::print("written to {}\n", path.string());
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "bilevel_bench: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_bench: {}\n", error.what());
    return 1;
  }
}
