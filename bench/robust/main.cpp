// How dependable the methods are on random games that nobody tuned them to: bilevel_robust --help
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bilevel/registry.hpp"
#include "report.hpp"
#include "scipy.hpp"
#include "self_test.hpp"

namespace bilevel::robust {

namespace {

constexpr const char* kMethods[] = {"auto", "smbg", "bgs_opt", "hoag", "hg_ms", "unibio", "soba", "f2sa", "bome"};

struct Options {
  std::size_t instances = 500, rivals = 50, scipy = 50;
  double seconds = 5;
  std::uint64_t seed = 1;
  std::vector<std::string> only, methods;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool failures = false, self_test = false;
  bool server = false;
  std::optional<std::size_t> index;
  std::vector<std::string> dump;
  std::string json = "build/robust.json";
};

const Family& find_family(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& family : families()) {
    if (family.name == name) return family;
    names.push_back(family.name);
  }
  throw std::invalid_argument(fmt::format("there is no family '{}': {}", name, fmt::join(names, ", ")));
}

int self_test(const Options& options, const std::vector<std::string>& names) {
  std::size_t wrong = 0;
  for (const auto& name : names) {
    std::vector<std::string> texts(options.instances);
    in_parallel(options.instances, options.threads, [&](std::size_t index) {
      const auto instance = make_instance(find_family(name), options.seed, index);
      if (const auto text = doubts(instance); !text.empty()) texts[index] = instance_text(instance) + text;
    });
    const auto doubted = options.instances - static_cast<std::size_t>(std::count(texts.begin(), texts.end(), ""));
    for (const auto& text : texts) fmt::print("{}", text);
    fmt::print("{:<12} {} instances, {} in doubt\n", name, options.instances, doubted);
    std::fflush(stdout);
    wrong += doubted;
  }
  return wrong == 0 ? 0 : 1;
}

int run(const Options& options) {
  if (options.server) {
    serve(options.seed);
    return 0;
  }
  if (!options.dump.empty()) {
    fmt::print("{}", instance_text(
                         make_instance(find_family(options.dump.at(0)), options.seed, std::stoul(options.dump.at(1)))));
    return 0;
  }
  std::vector<std::string> names = options.only;
  if (names.empty()) {
    for (const auto& family : families()) names.push_back(family.name);
  }
  for (const auto& name : names) find_family(name);
  if (options.self_test) return self_test(options, names);

  ContestOptions contestants{.families = names,
                             .methods = {},
                             .seed = options.seed,
                             .first = options.index.value_or(0),
                             .threads = options.threads,
                             .seconds = options.seconds};
  std::vector<std::string> methods = options.methods;
  if (methods.empty()) methods.assign(std::begin(kMethods), std::end(kMethods));
  for (const auto& method : methods) {
    if (method != "auto") find_method(method);
    if (options.index) {
      contestants.methods.emplace_back(method, 1);
      continue;
    }
    // Most of the others' time goes into what they do not solve.
    const bool few = options.methods.empty() && method != "auto";
    contestants.methods.emplace_back(method, few ? std::min(options.rivals, options.instances) : options.instances);
  }
  auto cells = contest(contestants);
  if (const auto few = std::min(options.scipy, options.instances);
      few > 0 && options.methods.empty() && !options.index) {
    for (auto& cell : scipy_cells(contestants, few)) cells.push_back(std::move(cell));
  }
  if (options.failures) {
    for (const auto& cell : cells) fmt::print("{}", failures_text(cell, options.seed));
  }
  fmt::print("{}", table_text(cells));
  write_json(cells, options.seed, options.json);
  return 0;
}

}  // namespace

}  // namespace bilevel::robust

int main(int argc, char** argv) {
  bilevel::robust::Options options;
  CLI::App app("How dependable the methods are on random games that nobody tuned them to");
  app.add_option("--instances", options.instances, "instances of each family")->capture_default_str();
  app.add_option("--rivals", options.rivals, "instances for each method but auto")->capture_default_str();
  app.add_option("--scipy", options.scipy,
                 "instances for SciPy's L-BFGS-B, which joins when --methods is not given; 0: without it")
      ->capture_default_str();
  app.add_option("--index", options.index, "only this instance of each family, without SciPy");
  app.add_option("--only", options.only, "families")->delimiter(',');
  app.add_option("--methods", options.methods, "auto or names of methods")->delimiter(',');
  app.add_option("--seconds", options.seconds, "the time limit of one attempt")->capture_default_str();
  app.add_option("--seed", options.seed, "of the instances")->capture_default_str();
  app.add_option("--threads", options.threads, "instances at a time")->check(CLI::Range(1, 1024));
  app.add_option("--json", options.json, "the file for all counts")->capture_default_str();
  app.add_flag("--failures", options.failures, "print each attempt that is not solved");
  app.add_flag("--selftest", options.self_test, "check the instances and their references instead");
  app.add_flag("--serve", options.server, "answer scipy_rival.py's requests on standard input");
  app.add_option("--dump", options.dump, "FAMILY INDEX: print one instance")->expected(2);
  try {
    app.parse(argc, argv);
    return bilevel::robust::run(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::invalid_argument& error) {
    fmt::print(stderr, "bilevel_robust: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_robust: {}\n", error.what());
    return 1;
  }
}
