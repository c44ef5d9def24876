#include "bilevel/linear_models.hpp"

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "sources/data_pass.hpp"
#include "sources/penalty.hpp"

namespace bilevel {

namespace {

using sources::DataPass;
using sources::Parameters;
using sources::PassRequest;
using sources::Penalty;

/// phi(x, y) = 1/N sum_i w_i loss_i(y) + penalty, x = [row logits, if any ; log penalties, if any ; ignored entries].
template <class Real>
class LinearObjectiveOf final : public LinearObjective {
 public:
  LinearObjectiveOf(std::string name, const FeatureMatrix& features, Targets targets, const LinearModel& model,
                    const TrainingOptions& options, Index ignored)
      : LinearObjective(std::move(name), leader_size(features, model, options) + ignored, model.dim_y(),
                        features.rows()),
        model_(model),
        features_(features),
        penalty_(model, options),
        logits_(options.row_weights ? static_cast<Index>(features.rows()) : 0),
        pass_(model, features, std::move(targets)) {}

  double rounding() const override { return std::numeric_limits<Real>::epsilon(); }
  const LinearModel& model() const override { return model_; }
  const FeatureMatrix& features() const override { return features_; }

  Vec row_losses(const Vec& y) const override {
    if (y.size() != dim_y()) {
      throw DimensionMismatch(
          fmt::format("row_losses needs y of length {}, but the call provides length {}", dim_y(), y.size()));
    }
    std::vector<Real> losses(samples());
    const Parameters<Real> parameters(model_, pass_.weight_stride(), {&y});
    PassRequest<Real> request;
    request.parameters = &parameters;
    request.has_point = true;
    request.row_loss = losses.data();
    pass_.run(request);
    return Eigen::Map<const Eigen::Matrix<Real, Eigen::Dynamic, 1>>(losses.data(), dim_samples())
        .template cast<double>();
  }

  std::size_t linearization_bytes() const override {
    std::size_t reals = pass_.state_size(full);
    if (logits_ > 0) reals += 2 * samples();
    return sizeof(Products) + sizeof(Real) * reals + sizeof(double) * static_cast<std::size_t>(kept_penalty_size());
  }

 private:
  class Products;

  static Index leader_size(const FeatureMatrix& features, const LinearModel& model, const TrainingOptions& options) {
    return (options.row_weights ? static_cast<Index>(features.rows()) : 0) + Penalty(model, options).groups();
  }

  Index dim_samples() const { return static_cast<Index>(samples()); }
  Index kept_penalty_size() const {
    return penalty_.groups() + (penalty_.is_zero() || penalty_.is_quadratic() ? 0 : dim_y());
  }
  Vec log_penalties(const Vec& x) const { return x.segment(logits_, penalty_.groups()); }

  OracleSet do_provides() const override { return OracleSet::all(); }

  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    RowWeights weights(*this, batch);
    return evaluate_into(want, x, y, batch, nullptr, weights);
  }

  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override;

  EvaluationAndProducts do_evaluate_along(OracleSet want, const Vec& x, const Vec& y, const Vec& v,
                                          Batch batch) const override;

  /// sigmoid(x_i) and its derivative for the rows of a batch; empty without row weights.
  struct RowWeights {
    RowWeights(const LinearObjectiveOf& objective, Batch batch)
        : sigmoid(objective.logits_ > 0 ? batch.size(objective.samples()) : 0), slope(sigmoid.size()) {}

    void fill_by(PassRequest<Real>& request, const Vec& x) {
      if (sigmoid.size() == 0) return;
      request.logits = x.data();
      request.sigmoid = sigmoid.data();
      request.slope = slope.data();
    }

    kernels::AlignedBuffer<Real> sigmoid;
    kernels::AlignedBuffer<Real> slope;
  };

  bool needs_losses(OracleSet want) const {
    return want.has(Oracle::value) || (want.has(Oracle::grad_x) && logits_ > 0);
  }
  Evaluation evaluate_into(OracleSet want, const Vec& x, const Vec& y, Batch batch, Real* state,
                           RowWeights& weights) const;
  Evaluation finish(OracleSet want, const Vec& x, const Vec& y, Batch batch, const RowWeights& weights,
                    const std::vector<Real>& row_loss, Vec gradient) const;
  /// B v from the cross terms of the batch's rows (empty without row weights).
  Vec finish_cross(const Vec& penalties, const Vec& y, const Vec& v, Batch batch, const RowWeights& weights,
                   const std::vector<Real>& cross) const;
  /// result[i] += slope_r row_r / |batch| for the row i at each position r of the batch.
  void add_by_row(Batch batch, const RowWeights& weights, const Real* row, Vec& result) const;

  LinearModel model_;
  FeatureMatrix features_;
  Penalty penalty_;
  Index logits_;
  DataPass<Real> pass_;
};

template <class Real>
void LinearObjectiveOf<Real>::add_by_row(Batch batch, const RowWeights& weights, const Real* row, Vec& result) const {
  const std::size_t count = batch.size(samples());
  const double average = 1.0 / static_cast<double>(count);
  for (std::size_t r = 0; r < count; ++r) {
    const auto i = static_cast<Index>(batch.is_full() ? r : batch.indices()[r]);
    result[i] += average * static_cast<double>(weights.slope[r]) * static_cast<double>(row[r]);
  }
}

template <class Real>
Evaluation LinearObjectiveOf<Real>::evaluate_into(OracleSet want, const Vec& x, const Vec& y, Batch batch, Real* state,
                                                  RowWeights& weights) const {
  pass_.expect(batch);
  std::vector<Real> row_loss(needs_losses(want) ? batch.size(samples()) : 0);
  Vec gradient;
  if (!row_loss.empty() || want.has(Oracle::grad_y) || state != nullptr) {
    const Parameters<Real> parameters(model_, pass_.weight_stride(), {&y});
    PassRequest<Real> request;
    request.batch = batch;
    request.parameters = &parameters;
    request.has_point = true;
    request.state = state;
    if (!row_loss.empty()) request.row_loss = row_loss.data();
    request.scale = 1.0 / static_cast<double>(batch.size(samples()));
    if (want.has(Oracle::grad_y)) request.gradient = &gradient;
    weights.fill_by(request, x);
    pass_.run(request);
  }
  return finish(want, x, y, batch, weights, row_loss, std::move(gradient));
}

template <class Real>
Evaluation LinearObjectiveOf<Real>::finish(OracleSet want, const Vec& x, const Vec& y, Batch batch,
                                           const RowWeights& weights, const std::vector<Real>& row_loss,
                                           Vec gradient) const {
  const Vec penalties = log_penalties(x);
  Evaluation result;
  if (want.has(Oracle::value)) {
    double sum = 0;
    for (std::size_t r = 0; r < row_loss.size(); ++r) {
      const double weight = logits_ > 0 ? static_cast<double>(weights.sigmoid[r]) : 1.0;
      sum += weight * static_cast<double>(row_loss[r]);
    }
    result.value = sum / static_cast<double>(row_loss.size()) + penalty_.value(penalties, y);
  }
  if (want.has(Oracle::grad_x)) {
    result.grad_x = Vec::Zero(dim_x());
    if (logits_ > 0) add_by_row(batch, weights, row_loss.data(), *result.grad_x);
    if (penalty_.groups() > 0) penalty_.add_grad_x(penalties, y, result.grad_x->segment(logits_, penalty_.groups()));
  }
  if (want.has(Oracle::grad_y)) {
    penalty_.add_grad_y(penalties, y, gradient);
    result.grad_y = std::move(gradient);
  }
  return result;
}

template <class Real>
Vec LinearObjectiveOf<Real>::finish_cross(const Vec& penalties, const Vec& y, const Vec& v, Batch batch,
                                          const RowWeights& weights, const std::vector<Real>& cross) const {
  Vec result = Vec::Zero(dim_x());
  if (!cross.empty()) add_by_row(batch, weights, cross.data(), result);
  const Index groups = penalty_.groups();
  if (groups > 0) penalty_.add_hess_xy(penalties, y, v, result.segment(logits_, groups));
  return result;
}

/// The state of every block, the row weights, and what the penalty's products need of the point.
template <class Real>
class LinearObjectiveOf<Real>::Products final : public Linearization::Implementation {
 public:
  Products(const LinearObjectiveOf& objective, const Vec& x, const Vec& y, Batch batch, OracleSet also,
           Evaluation& evaluation)
      : objective_(objective),
        batch_(batch),
        average_(1.0 / static_cast<double>(batch.size(objective.samples()))),
        weights_(objective, batch),
        state_(objective.pass_.state_size(batch)),
        penalties_(objective.log_penalties(x)),
        y_(objective.kept_penalty_size() > penalties_.size() ? y : Vec()) {
    evaluation = objective.evaluate_into(also, x, y, batch, state_.data(), weights_);
  }

  Vec hess_yy(const Vec& v) const override {
    Vec product;
    run_direction(v, &product, nullptr);
    return finish_product(v, std::move(product));
  }

  Vec hess_xy(const Vec& v) const override {
    std::vector<Real> cross(weights_.slope.size());
    if (!cross.empty()) run_direction(v, nullptr, cross.data());
    return objective_.finish_cross(penalties_, y_, v, batch_, weights_, cross);
  }

  bilevel::Products both(const Vec& v) const override {
    std::vector<Real> cross(weights_.slope.size());
    Vec product;
    run_direction(v, &product, cross.empty() ? nullptr : cross.data());
    return {finish_product(v, std::move(product)), objective_.finish_cross(penalties_, y_, v, batch_, weights_, cross)};
  }

  Vec hess_yx(const Vec& u) const override {
    Vec result;
    if (objective_.logits_ == 0) {
      result.setZero(objective_.dim_y());
    } else {
      std::vector<Real> weight(weights_.slope.size());
      for (std::size_t r = 0; r < weight.size(); ++r) {
        const auto i = static_cast<Index>(batch_.is_full() ? r : batch_.indices()[r]);
        weight[r] = static_cast<Real>(u[i] * static_cast<double>(weights_.slope[r]));
      }
      PassRequest<Real> request;
      request.batch = batch_;
      request.state = kept_state();
      request.weight = weight.data();
      request.scale = average_;
      request.gradient = &result;
      objective_.pass_.run(request);
    }
    const Index groups = penalties_.size();
    if (groups > 0) objective_.penalty_.add_hess_yx(penalties_, y_, u.segment(objective_.logits_, groups), result);
    return result;
  }

 private:
  /// A pass without a point only reads it.
  Real* kept_state() const { return const_cast<Real*>(state_.data()); }

  void run_direction(const Vec& v, Vec* product, Real* cross) const {
    const Parameters<Real> parameters(objective_.model_, objective_.pass_.weight_stride(), {&v});
    PassRequest<Real> request;
    request.batch = batch_;
    request.parameters = &parameters;
    request.has_direction = true;
    request.state = kept_state();
    request.weight = weights_.sigmoid.data();
    request.row_cross = cross;
    request.scale = average_;
    request.product = product;
    objective_.pass_.run(request);
  }

  Vec finish_product(const Vec& v, Vec product) const {
    objective_.penalty_.add_hess_yy(penalties_, y_, v, product);
    return product;
  }

  const LinearObjectiveOf& objective_;
  Batch batch_;
  double average_;
  RowWeights weights_;
  kernels::AlignedBuffer<Real> state_;
  Vec penalties_;
  Vec y_;  // empty where no product of the penalty depends on it
};

template <class Real>
std::unique_ptr<const Linearization::Implementation> LinearObjectiveOf<Real>::do_linearize(
    const Vec& x, const Vec& y, Batch batch, OracleSet also, Evaluation& evaluation) const {
  return std::make_unique<Products>(*this, x, y, batch, also, evaluation);
}

template <class Real>
EvaluationAndProducts LinearObjectiveOf<Real>::do_evaluate_along(OracleSet want, const Vec& x, const Vec& y,
                                                                 const Vec& v, Batch batch) const {
  if (features_.is_sparse()) {
    // Little is read of sparse rows, so that a second reading costs less than weights and sums of twice the size.
    EvaluationAndProducts result;
    result.products = do_linearize(x, y, batch, want, result.evaluation)->both(v);
    return result;
  }
  pass_.expect(batch);
  std::vector<Real> row_loss(needs_losses(want) ? batch.size(samples()) : 0);
  std::vector<Real> cross(logits_ > 0 ? batch.size(samples()) : 0);
  RowWeights weights(*this, batch);
  Vec gradient, product;
  const Parameters<Real> parameters(model_, pass_.weight_stride(), {&y, &v});
  PassRequest<Real> request;
  request.batch = batch;
  request.parameters = &parameters;
  request.has_point = request.has_direction = true;
  if (!row_loss.empty()) request.row_loss = row_loss.data();
  if (!cross.empty()) request.row_cross = cross.data();
  request.scale = 1.0 / static_cast<double>(batch.size(samples()));
  if (want.has(Oracle::grad_y)) request.gradient = &gradient;
  request.product = &product;
  weights.fill_by(request, x);
  pass_.run(request);

  const Vec penalties = log_penalties(x);
  penalty_.add_hess_yy(penalties, y, v, product);
  return {finish(want, x, y, batch, weights, row_loss, std::move(gradient)),
          {std::move(product), finish_cross(penalties, y, v, batch, weights, cross)}};
}

std::shared_ptr<const LinearObjective> make_objective(std::string name, const FeatureMatrix& features, Targets targets,
                                                      const TrainingOptions& options, Index ignored) {
  const std::size_t given = std::visit([](const auto& values) { return values.size(); }, targets);
  if (given != features.rows()) {
    throw DimensionMismatch(fmt::format("the {} objective needs one target for each of {} rows, but {} are given", name,
                                        features.rows(), given));
  }
  const LinearModel model(features.features(), options.model);
  const auto make = [&]<class Real>(Real) -> std::shared_ptr<const LinearObjective> {
    return std::make_shared<LinearObjectiveOf<Real>>(std::move(name), features, std::move(targets), model, options,
                                                     ignored);
  };
  return features.precision() == Precision::float32 ? make(float{}) : make(double{});
}

}  // namespace

std::shared_ptr<const LinearObjective> training_objective(const FeatureMatrix& features, Targets targets,
                                                          const TrainingOptions& options) {
  return make_objective("training", features, std::move(targets), options, 0);
}

std::shared_ptr<const LinearObjective> validation_objective(const FeatureMatrix& features, Targets targets,
                                                            const LinearModelOptions& options, Index dim_x) {
  return make_objective("validation", features, std::move(targets), {.model = options}, dim_x);
}

}  // namespace bilevel
