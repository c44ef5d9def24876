#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/lower.hpp"

namespace bilevel {

namespace {

class RecordedStep final : public StepMap::Point {
 public:
  RecordedStep(Linearization linearization, Vec image, double residual, double step_size)
      : linearization_(std::move(linearization)),
        image_(std::move(image)),
        residual_(residual),
        step_size_(step_size) {}

  const Vec& image() const override { return image_; }
  double residual() const override { return residual_; }

  PullBack pull_back(const Vec& v) const override {
    Products products = linearization_.both(v);
    products.hess_xy *= -step_size_;
    products.hess_yy = v - step_size_ * products.hess_yy;
    return {std::move(products.hess_xy), std::move(products.hess_yy)};
  }

  Vec push_forward(const Vec& dx, const Vec& dy) const override {
    return dy - step_size_ * (linearization_.hess_yy(dy) + linearization_.hess_yx(dx));
  }

 private:
  Linearization linearization_;
  Vec image_;
  double residual_;
  double step_size_;
};

}  // namespace

GradientDescentMap::GradientDescentMap(const Objective& lower, double step_size)
    : lower_(&lower), step_size_(step_size) {
  if (!(step_size > 0) || !std::isfinite(step_size)) {
    throw InvalidOption(fmt::format("inner-step-size {} is not allowed: it must be a number > 0", step_size));
  }
}

Vec GradientDescentMap::apply(const Vec& x, const Vec& y) const { return y - step_size_ * lower_->grad_y(x, y); }

std::unique_ptr<const StepMap::Point> GradientDescentMap::record(const Vec& x, const Vec& y) const {
  auto linearization = lower_->linearize(x, y, full, Oracle::grad_y);
  Vec image = std::move(*linearization.take_evaluation().grad_y);  // the gradient's memory serves again
  const double residual = norm(image);
  image = y - step_size_ * image;
  return std::make_unique<RecordedStep>(std::move(linearization), std::move(image), residual, step_size_);
}

StepMap::Inverse GradientDescentMap::invert(const Vec& x, const Vec& y_next) const {
  // The error falls by a L_g < 1 each time, so the change itself bounds what is left. At rounding level the change
  // stops falling: that is the end, whether or not it is small enough to be called found.
  constexpr Index kMaxIterations = 1000;
  constexpr double kRounding = 4e-16;
  Vec z = y_next;
  double last_change = std::numeric_limits<double>::infinity();
  for (Index i = 1; i <= kMaxIterations; ++i) {
    Vec next = y_next + step_size_ * lower_->grad_y(x, z);
    const double change = norm(next - z);
    z = std::move(next);
    const double scale = 1.0 + norm(z);
    if (!std::isfinite(change)) return {z, false, i};
    if (change <= kRounding * scale) return {z, true, i};
    if (change >= last_change) return {z, change <= 100 * kRounding * scale, i};
    last_change = change;
  }
  return {z, false, kMaxIterations};
}

std::size_t GradientDescentMap::point_bytes() const {
  return lower_->linearization_bytes() + sizeof(double) * static_cast<std::size_t>(2 * lower_->dim_y());
}

std::string GradientDescentMap::describe() const {
  return fmt::format("gradient descent with inner-step-size {:.4g}", step_size_);
}

}  // namespace bilevel
