#include "bilevel/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

namespace {

using Sources = std::vector<std::shared_ptr<const Objective>>;

/// The gradient in the logits of p'a: p_k (a_k - p'a).
Vec softmax_derivative(const Vec& weights, const Vec& a) { return weights.array() * (a.array() - weights.dot(a)); }

class Mixture final : public Objective {
 public:
  Mixture(Sources sources, const MixtureOptions& options)
      : Objective("mixture", static_cast<Index>(sources.size()) + (options.learn_regularization ? 1 : 0),
                  sources.front()->dim_y()),
        sources_(std::move(sources)),
        options_(options) {}

  double rounding() const override {
    double worst = Objective::rounding();
    for (const auto& source : sources_) worst = std::max(worst, source->rounding());
    return worst;
  }
  std::size_t linearization_bytes() const override {
    std::size_t bytes = static_cast<std::size_t>(count() * dim_y()) * sizeof(double);
    for (const auto& source : sources_) bytes += source->linearization_bytes();
    return bytes;
  }

 private:
  class Products;

  Index count() const { return static_cast<Index>(sources_.size()); }
  double penalty(const Vec& x) const {
    return options_.regularization * (options_.learn_regularization ? std::exp(x[count()]) : 1);
  }

  OracleSet do_provides() const override { return OracleSet::all(); }

  /// Of each source, what `want` of the mixture is made of.
  static OracleSet of_sources(OracleSet want) {
    OracleSet result = want.has(Oracle::grad_y) ? Oracle::grad_y : OracleSet{};
    return want.has(Oracle::value) || want.has(Oracle::grad_x) ? result | Oracle::value : result;
  }

  template <class Answer>
  Evaluation combine(OracleSet want, const Vec& x, const Vec& y, const Answer& answer) const {
    const Vec weights = source_weights(x, count());
    const double c = penalty(x);
    Vec losses = Vec::Zero(count());
    Vec gradient = 2 * c * y;
    for (Index k = 0; k < count(); ++k) {
      const Evaluation& source = answer(k);
      if (source.value) losses[k] = *source.value;
      if (want.has(Oracle::grad_y)) gradient += weights[k] * *source.grad_y;
    }
    Evaluation result;
    const double square = y.squaredNorm();
    if (want.has(Oracle::value)) result.value = weights.dot(losses) + c * square;
    if (want.has(Oracle::grad_y)) result.grad_y = std::move(gradient);
    if (want.has(Oracle::grad_x)) {
      result.grad_x = Vec::Zero(dim_x());
      result.grad_x->head(count()) = softmax_derivative(weights, losses);
      if (options_.learn_regularization) (*result.grad_x)[count()] = c * square;
    }
    return result;
  }

  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const override {
    Evaluation source;
    return combine(want, x, y, [&](Index k) -> const Evaluation& {
      source = sources_[static_cast<std::size_t>(k)]->evaluate(of_sources(want), Vec(), y);
      return source;
    });
  }

  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch, OracleSet also,
                                                                    Evaluation& evaluation) const override;

  Sources sources_;
  MixtureOptions options_;
};

class Mixture::Products final : public Linearization::Implementation {
 public:
  Products(const Mixture& mixture, const Vec& x, const Vec& y, OracleSet also, Evaluation& evaluation)
      : learn_(mixture.options_.learn_regularization),
        weights_(source_weights(x, mixture.count())),
        penalty_(mixture.penalty(x)),
        y_(y) {
    for (const auto& source : mixture.sources_) {
      parts_.push_back(source->linearize(Vec(), y, full, of_sources(also) | Oracle::grad_y));
    }
    evaluation = mixture.combine(
        also, x, y, [&](Index k) -> const Evaluation& { return parts_[static_cast<std::size_t>(k)].evaluation(); });
    gradients_.resize(y.size(), mixture.count());
    for (Index k = 0; k < mixture.count(); ++k) {
      gradients_.col(k) = *parts_[static_cast<std::size_t>(k)].take_evaluation().grad_y;
    }
  }

  Vec hess_yy(const Vec& v) const override {
    Vec product = 2 * penalty_ * v;
    for (Index k = 0; k < weights_.size(); ++k) {
      product += weights_[k] * parts_[static_cast<std::size_t>(k)].hess_yy(v);
    }
    return product;
  }

  Vec hess_xy(const Vec& v) const override {
    Vec product(weights_.size() + (learn_ ? 1 : 0));
    product.head(weights_.size()) = softmax_derivative(weights_, gradients_.transpose() * v);
    if (learn_) product[weights_.size()] = 2 * penalty_ * y_.dot(v);
    return product;
  }

  Vec hess_yx(const Vec& u) const override {
    Vec product = gradients_ * softmax_derivative(weights_, u.head(weights_.size()));
    if (learn_) product += 2 * penalty_ * u[weights_.size()] * y_;
    return product;
  }

 private:
  bool learn_;
  Vec weights_;
  double penalty_;
  Vec y_;
  std::vector<Linearization> parts_;
  Eigen::MatrixXd gradients_;  // m x K
};

std::unique_ptr<const Linearization::Implementation> Mixture::do_linearize(const Vec& x, const Vec& y, Batch,
                                                                           OracleSet also,
                                                                           Evaluation& evaluation) const {
  return std::make_unique<Products>(*this, x, y, also, evaluation);
}

void check(const Sources& sources, const MixtureOptions& options) {
  if (sources.empty()) throw InvalidInput("a mixture needs at least one source");
  for (std::size_t k = 0; k < sources.size(); ++k) {
    const auto& source = *sources[k];
    if (source.dim_x() != 0 || source.dim_y() != sources.front()->dim_y()) {
      throw DimensionMismatch(fmt::format(
          "source {} of a mixture has {} leader variables and {} of the follower, but needs 0 and {} as the first one",
          k + 1, source.dim_x(), source.dim_y(), sources.front()->dim_y()));
    }
    const auto missing = (Oracle::value | Oracle::grad_y | Oracle::hess_yy).without(source.provides());
    if (!missing.empty()) {
      throw MissingOracle(
          fmt::format("a mixture needs value, grad_y and hess_yy of each source, but source {} ('{}') "
                      "lacks {}",
                      k + 1, source.name(), to_string(missing)));
    }
  }
  const double c = options.regularization;
  if (!std::isfinite(c) || c < 0 || (c == 0 && options.learn_regularization)) {
    throw InvalidOption(fmt::format("the regularization of a mixture is {}, but must be finite and {}", c,
                                    options.learn_regularization ? "> 0 to be learned" : ">= 0"));
  }
}

}  // namespace

Vec source_weights(const Vec& x, Index sources) {
  const Vec logits = x.head(sources);
  const Vec weights = (logits.array() - logits.maxCoeff()).exp();
  return weights / weights.sum();
}

std::shared_ptr<const Objective> mixture(std::vector<std::shared_ptr<const Objective>> sources,
                                         const MixtureOptions& options) {
  check(sources, options);
  return std::make_shared<Mixture>(std::move(sources), options);
}

}  // namespace bilevel
