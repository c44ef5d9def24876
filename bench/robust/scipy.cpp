#include "scipy.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace bilevel::robust {

namespace {

Vec read(std::istream& words, Index count) {
  Vec result(count);
  std::string word;  // streams read no "nan"
  for (auto& entry : result) {
    if (!(words >> word)) throw std::runtime_error("a request lacks numbers");
    entry = std::stod(word);
  }
  return result;
}

void add(std::string& line, double number) { line += fmt::format("{} ", number); }
void add(std::string& line, const Vec& numbers) {
  for (const double number : numbers) add(line, number);
}

std::string answer(const BilevelProblem& problem, const std::string& request, std::istream& words) {
  const Vec x = read(words, problem.dim_x()), y = read(words, problem.dim_y());
  std::string line;
  if (request == "lower") {
    const auto all = problem.lower->evaluate(Oracle::value | Oracle::grad_y, x, y);
    add(line, *all.value);
    add(line, *all.grad_y);
  } else if (request == "upper") {
    const auto all = problem.upper->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, y);
    add(line, *all.value);
    add(line, *all.grad_x);
    add(line, *all.grad_y);
  } else if (request == "second") {
    const auto linear = problem.lower->linearize(x, y);
    Eigen::MatrixXd B(x.size(), y.size());
    for (Index j = 0; j < y.size(); ++j) {
      const auto products = linear.both(Vec::Unit(y.size(), j));
      add(line, products.hess_yy);
      B.col(j) = products.hess_xy;
    }
    for (Index i = 0; i < x.size(); ++i) add(line, Vec(B.row(i)));
  } else {
    throw std::runtime_error("there is no request '" + request + "'");
  }
  return line;
}

const Family& family_of(const std::string& name) {
  for (const auto& family : families()) {
    if (family.name == name) return family;
  }
  throw std::runtime_error("there is no family '" + name + "'");
}

/// Runs a program with these arguments and waits; its exit status, or -1 if it could not be run.
int run_program(std::vector<std::string> arguments) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<char*> words;
    for (auto& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    execv(words[0], words.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace

void serve(std::uint64_t seed) {
  Instance instance;
  std::uint64_t before = 0;
  const auto calls = [&] {
    return instance.problem.upper->counts().total() + instance.problem.lower->counts().total();
  };
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string request, reply;
    words >> request;
    if (request == "open") {
      std::string family;
      std::size_t index = 0;
      words >> family >> index;
      instance = make_instance(family_of(family), seed, index);
      before = calls();
      add(reply, static_cast<double>(instance.problem.dim_x()));
      add(reply, static_cast<double>(instance.problem.dim_y()));
      add(reply, instance.problem.x0);
      add(reply, instance.problem.y0);
    } else if (request == "calls") {
      reply = fmt::format("{}", calls() - before);
    } else {
      reply = answer(instance.problem, request, words);
    }
    reply += '\n';
    std::fwrite(reply.data(), 1, reply.size(), stdout);
    std::fflush(stdout);
  }
}

std::vector<Cell> scipy_cells(const ContestOptions& options, std::size_t instances) {
  const auto out = std::filesystem::temp_directory_path() / fmt::format("bilevel_robust_{}.json", getpid());
  std::vector<std::string> arguments{"/usr/bin/python3",
                                     BILEVEL_SCIPY_RIVAL,
                                     std::filesystem::canonical("/proc/self/exe"),
                                     std::to_string(options.seed),
                                     std::to_string(instances),
                                     std::to_string(options.threads),
                                     fmt::format("{}", options.seconds),
                                     out.string()};
  arguments.insert(arguments.end(), options.families.begin(), options.families.end());
  if (const int status = run_program(arguments); status != 0) {
    throw std::runtime_error(
        fmt::format("{} ended with {}: it needs the Debian package python3-scipy; --scipy 0 does without",
                    BILEVEL_SCIPY_RIVAL, status));
  }
  nlohmann::json results;
  std::ifstream(out) >> results;
  std::filesystem::remove(out);

  const auto vector = [](const nlohmann::json& texts) {
    Vec values(static_cast<Index>(texts.size()));
    for (Index i = 0; i < values.size(); ++i)
      values[i] = std::stod(texts.at(static_cast<std::size_t>(i)).get<std::string>());
    return values;
  };
  std::vector<Cell> cells;
  for (const auto& family : options.families) cells.push_back({family, "scipy", std::vector<Attempt>(instances)});
  in_parallel(results.size(), options.threads, [&](std::size_t i) {
    const auto& result = results.at(i);
    const auto family = result.at("family").get<std::string>();
    Attempt attempt{.index = result.at("index"),
                    .method = "scipy",
                    .status = result.at("claimed") ? "success" : "no success",
                    .message = result.at("message"),
                    .claimed = result.at("claimed"),
                    .x = vector(result.at("x")),
                    .y = vector(result.at("y")),
                    .calls = result.at("calls"),
                    .iterations = 0,
                    .seconds = result.at("seconds"),
                    .verdict = {}};
    attempt.verdict = judge(make_instance(family_of(family), options.seed, attempt.index), attempt.x, attempt.y);
    for (auto& cell : cells) {
      if (cell.family == family) cell.attempts[attempt.index] = attempt;
    }
  });
  return cells;
}

}  // namespace bilevel::robust
