#include "instance.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include <Eigen/QR>

namespace bilevel::robust {

RealVec Instance::game_x(const Vec& x) const {
  return units.x.size() == 0 ? extended(x) : extended(units.x).cwiseProduct(extended(x)).eval();
}

RealVec Instance::game_y(const Vec& y) const {
  return units.y.size() == 0 ? extended(y) : extended(units.y).cwiseProduct(extended(y)).eval();
}

Index Draw::size(Index least, Index most) {
  const double share = random.uniform();
  return std::max(least, static_cast<Index>(1 + std::floor(static_cast<double>(most) * share * share * share)));
}

Index Draw::between(Index least, Index most) {
  return least + static_cast<Index>(random.below(static_cast<std::uint64_t>(most - least + 1)));
}

double Draw::log_uniform(double low, double high) { return std::exp(uniform(std::log(low), std::log(high))); }

Vec Draw::normal(Index size, double deviation) {
  Vec result(size);
  for (auto& entry : result) entry = deviation * random.normal();
  return result;
}

Vec Draw::uniform_vector(Index size, double low, double high) {
  Vec result(size);
  for (auto& entry : result) entry = uniform(low, high);
  return result;
}

Eigen::MatrixXd Draw::normal(Index rows, Index columns, double deviation) {
  Eigen::MatrixXd result(rows, columns);
  for (Index j = 0; j < columns; ++j) result.col(j) = normal(rows, deviation);
  return result;
}

Eigen::MatrixXd Draw::rotation(Index size) {
  return Eigen::HouseholderQR<Eigen::MatrixXd>(normal(size, size)).householderQ() *
         Eigen::MatrixXd::Identity(size, size);
}

Vec Draw::spectrum(Index size, double condition) {
  Vec result(size);
  for (auto& entry : result) entry = log_uniform(1 / condition, 1);
  result[0] = 1;
  if (size > 1) result[size - 1] = 1 / condition;
  return result;
}

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"ridge", "least squares, one penalty, three starts", ridge},
      {"logistic", "one penalty for each feature", logistic},
      {"quadratic", "condition of H up to 1e10", quadratic},
      {"scaled", "mixed units of x, y, f and g", scaled},
      {"flat", "powers 4 to 8 of the follower's error", flat},
      {"hills", "leaders with many minima and maxima", hills},
      {"wells", "two minima for each follower", wells},
      {"manifold", "followers with a circle, line or plane of minima", manifold},
      {"logsumexp", "followers log sum exp", log_sum_exp_game},
      {"oligopoly", "one leading firm and its competitors", oligopoly},
  };
  return all;
}

namespace {

/// Start and reference of a drawn instance; false if the start's follower has no answer or no minimum was reached.
bool settle(Instance& instance) {
  instance.problem.validate();
  const auto& game = *instance.game;
  const auto at = [&](const RealVec& x, const RealVec& near, Point& point) {
    auto y = game.answer(x, near);
    if (!y) return false;
    point = {x, *y, game.upper(x, *y)};
    return true;
  };
  if (!at(instance.game_x(instance.problem.x0), instance.game_y(instance.problem.y0), instance.start)) return false;
  if (const auto solution = game.minimiser()) {
    instance.found = at(*solution, instance.start.y, instance.reference);
  } else {
    const auto descent = descend(game, instance.start);
    instance.reference = descent.end;
    instance.found = descent.minimum && descent.end.x.cwiseAbs().maxCoeff() < instance.reach;
  }
  return instance.found;
}

}  // namespace

Instance make_instance(const Family& family, std::uint64_t seed, std::size_t index) {
  std::uint64_t number = seed;
  for (const char letter : family.name) number = number * 1099511628211u + static_cast<unsigned char>(letter);
  Draw draw(number * 1000003u + index);
  for (int attempt = 0; attempt < 100; ++attempt) {
    Instance instance = family.make(draw);
    if (!settle(instance)) continue;
    instance.problem.name = fmt::format("{} {}", family.name, index);
    return instance;
  }
  throw std::runtime_error(
      fmt::format("no instance of the family {} with number {} has a solution", family.name, index));
}

}  // namespace bilevel::robust
