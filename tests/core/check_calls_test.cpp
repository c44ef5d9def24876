// Faults that show only in one way of asking, in one order of calls, or on a batch alone.
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "bilevel/autodiff.hpp"
#include "bilevel/check.hpp"
#include "core/altered.hpp"

namespace bilevel {
namespace {

using testing::kPointX;
using testing::kPointY;
using testing::right_objective;
using Names = std::vector<std::string>;

constexpr auto kParts = "parts of a call agree with the whole";
constexpr auto kAlong = "evaluate_along agrees with linearize";
constexpr auto kHistory = "answers do not depend on earlier calls";
constexpr auto kBatch = "derivatives on a batch: Taylor slopes";

/// A right objective whose subclasses spoil one of its calls.
class Wrapped : public Objective {
 public:
  explicit Wrapped(std::shared_ptr<const Objective> inner = right_objective())
      : Objective("wrapped", inner->dim_x(), inner->dim_y(), inner->samples()), inner_(std::move(inner)) {}

 protected:
  class At final : public Linearization::Implementation {
   public:
    explicit At(std::shared_ptr<const Linearization> inner) : inner_(std::move(inner)) {}
    Vec hess_yy(const Vec& v) const override { return inner_->hess_yy(v); }
    Vec hess_xy(const Vec& v) const override { return inner_->hess_xy(v); }
    Vec hess_yx(const Vec& u) const override { return inner_->hess_yx(u); }

   private:
    std::shared_ptr<const Linearization> inner_;
  };

  OracleSet do_provides() const override { return OracleSet::all(); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    return inner_->evaluate(want, x, y, batch);
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto at = std::make_shared<Linearization>(inner_->linearize(x, y, batch, also));
    evaluation = at->evaluation();
    return std::make_unique<At>(std::move(at));
  }

  std::shared_ptr<const Objective> inner_;
};

CheckReport check(const Objective& objective) { return check_objective(objective, kPointX, kPointY); }

void expect_only(const Objective& objective, const char* name, OracleSet suspects) {
  const auto report = check(objective);
  EXPECT_EQ(report.failed(), Names{name}) << report.text();
  EXPECT_EQ(report.suspects(), suspects) << report.text();
}

TEST(CheckCalls, TheWrappedObjectiveIsRight) {
  const auto report = check(Wrapped());
  EXPECT_TRUE(report.passed()) << report.text();
}

TEST(CheckCalls, AFunctionThatIsDefinedOnASideOnlyPasses) {
  const auto phi = make_objective("log", 1, 1, 4, [](auto x, auto y, std::size_t i) {
    return static_cast<double>(i + 1) * x[0] * y[0] - log(y[0]) - log(x[0]);
  });
  const auto report = check_objective(*phi, Vec::Constant(1, 0.01), Vec::Constant(1, 0.02));
  EXPECT_TRUE(report.passed()) << report.text();
}

// ---------------------------------------------------------------------------------------------- evaluate_along

class WrongAlong final : public Wrapped {
 public:
  enum class Fault { value_with_gradients, grad_y_alone, hess_yy, hess_xy_on_a_batch };
  explicit WrongAlong(Fault fault) : fault_(fault) {}

 private:
  EvaluationAndProducts do_evaluate_along(OracleSet want, const Vec& x, const Vec& y, const Vec& v,
                                          Batch batch) const override {
    auto result = inner_->evaluate_along(want, x, y, v, batch);
    auto& [evaluation, products] = result;
    if (fault_ == Fault::value_with_gradients && evaluation.value && evaluation.grad_x) *evaluation.value += 1e-6;
    if (fault_ == Fault::grad_y_alone && evaluation.grad_y && !evaluation.value) *evaluation.grad_y *= 1 + 1e-9;
    if (fault_ == Fault::hess_yy) products.hess_yy[1] += 1e-6;
    if (fault_ == Fault::hess_xy_on_a_batch && !batch.is_full()) products.hess_xy *= 2;
    return result;
  }
  Fault fault_;
};

TEST(CheckCalls, FindsAWrongEvaluateAlong) {
  using Fault = WrongAlong::Fault;
  expect_only(WrongAlong(Fault::value_with_gradients), kAlong, Oracle::value);
  expect_only(WrongAlong(Fault::grad_y_alone), kAlong, Oracle::grad_y);
  expect_only(WrongAlong(Fault::hess_yy), kAlong, Oracle::hess_yy);
  expect_only(WrongAlong(Fault::hess_xy_on_a_batch), kAlong, Oracle::hess_xy);
}

// ------------------------------------------------------------------------------------------- parts of a fused call

class WrongPart final : public Wrapped {
 public:
  WrongPart(OracleSet when, bool on_batches_only) : when_(when), on_batches_only_(on_batches_only) {}

 private:
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    auto result = inner_->evaluate(want, x, y, batch);
    if (want == when_ && !(on_batches_only_ && batch.is_full())) *result.grad_y *= 1 + 1e-9;
    return result;
  }
  OracleSet when_;
  bool on_batches_only_;
};

TEST(CheckCalls, FindsASelectionThatDisagreesWithAllTogether) {
  expect_only(WrongPart(Oracle::value | Oracle::grad_y, false), kParts, Oracle::grad_y);
  expect_only(WrongPart(Oracle::grad_x | Oracle::grad_y, false), kParts, Oracle::grad_y);
  expect_only(WrongPart(Oracle::value | Oracle::grad_y, true), kParts, Oracle::grad_y);
}

/// Beside a linearisation, the value is wrong unless the gradients are asked for, too.
class WrongBeside final : public Wrapped {
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto at = Wrapped::do_linearize(x, y, batch, also, evaluation);
    if (also == Oracle::value) *evaluation.value += 1e-6;
    return at;
  }
};

TEST(CheckCalls, FindsASelectionBesideALinearizationThatDisagrees) {
  expect_only(WrongBeside(), kParts, Oracle::value);
}

// ------------------------------------------------------------------------------------------------------ histories

/// Linearises anew only when what it looks at has changed since the last call.
class Cached final : public Wrapped {
 public:
  enum class Key { x, y, x_and_y, address, nothing_is_wrong };
  explicit Cached(Key key) : key_(key) {}

 private:
  bool is_cached(const Vec& x, const Vec& y, Batch batch) const {
    if (!last_) return false;
    const bool same_batch = batch.is_full() == batch_.is_full() && batch.indices().data() == batch_.indices().data();
    switch (key_) {
      case Key::x: return same_batch && x == x_;
      case Key::y: return same_batch && y == y_;
      case Key::x_and_y: return x == x_ && y == y_;
      case Key::address: return same_batch && x.data() == x_data_ && y.data() == y_data_;
      case Key::nothing_is_wrong: return same_batch && x == x_ && y == y_;
    }
    return false;
  }

  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    evaluation = also.empty() ? Evaluation{} : inner_->evaluate(also, x, y, batch);
    if (!is_cached(x, y, batch)) last_ = std::make_shared<Linearization>(inner_->linearize(x, y, batch));
    x_ = x, y_ = y, batch_ = batch, x_data_ = x.data(), y_data_ = y.data();
    return std::make_unique<At>(last_);
  }

  Key key_;
  mutable std::shared_ptr<const Linearization> last_;
  mutable Vec x_, y_;
  mutable Batch batch_;
  mutable const double* x_data_ = nullptr;
  mutable const double* y_data_ = nullptr;
};

TEST(CheckCalls, FindsACacheUnderTheWrongKey) {
  EXPECT_TRUE(check(Cached(Cached::Key::nothing_is_wrong)).passed());
  const OracleSet products = Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx;
  expect_only(Cached(Cached::Key::x), kHistory, products);
  expect_only(Cached(Cached::Key::y), kHistory, products);
  expect_only(Cached(Cached::Key::address), kHistory, products);
  // One that forgets the batch shows in the averages over an epoch first.
  EXPECT_EQ(check(Cached(Cached::Key::x_and_y)).suspects(), products);
}

/// All linearisations look at the point of the last one.
class Shared final : public Wrapped {
  class Latest final : public Linearization::Implementation {
   public:
    explicit Latest(const Shared& owner) : owner_(owner) {}
    Vec hess_yy(const Vec& v) const override { return owner_.last_->hess_yy(v); }
    Vec hess_xy(const Vec& v) const override { return owner_.last_->hess_xy(v); }
    Vec hess_yx(const Vec& u) const override { return owner_.last_->hess_yx(u); }

   private:
    const Shared& owner_;
  };
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    last_ = std::make_shared<Linearization>(inner_->linearize(x, y, batch, also));
    evaluation = last_->evaluation();
    return std::make_unique<Latest>(*this);
  }
  mutable std::shared_ptr<const Linearization> last_;
};

TEST(CheckCalls, FindsLinearizationsThatShareTheirState) {
  expect_only(Shared(), kHistory, Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx);
}

/// The linearisation looks at the caller's x and y when it is used.
class Borrowing final : public Wrapped {
  class View final : public Linearization::Implementation {
   public:
    View(const Objective& inner, const Vec& x, const Vec& y, Batch batch)
        : inner_(inner), x_(x), y_(y), batch_(batch) {}
    Vec hess_yy(const Vec& v) const override { return inner_.hess_yy(x_, y_, v, batch_); }
    Vec hess_xy(const Vec& v) const override { return inner_.hess_xy(x_, y_, v, batch_); }
    Vec hess_yx(const Vec& u) const override { return inner_.hess_yx(x_, y_, u, batch_); }

   private:
    const Objective& inner_;
    const Vec& x_;
    const Vec& y_;
    Batch batch_;
  };
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    if (!also.empty()) evaluation = inner_->evaluate(also, x, y, batch);
    return std::make_unique<View>(*inner_, x, y, batch);
  }
};

TEST(CheckCalls, FindsALinearizationThatBorrowsThePoint) {
  expect_only(Borrowing(), kHistory, Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx);
}

/// The value is computed anew only when y has changed.
class CachedValue final : public Wrapped {
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    auto result = inner_->evaluate(want, x, y, batch);
    if (!batch.is_full() || !result.value || !result.grad_x || !result.grad_y) return result;
    if (y.size() == y_.size() && y == y_) {
      result.value = value_;
    } else {
      y_ = y, value_ = *result.value;
    }
    return result;
  }
  mutable Vec y_;
  mutable double value_ = 0;
};

TEST(CheckCalls, FindsACachedValue) { expect_only(CachedValue(), kHistory, Oracle::value); }

// -------------------------------------------------------------------------------------------------------- batches

/// Products, or gradients and products, of all samples whatever the batch.
class IgnoresBatch final : public Wrapped {
 public:
  explicit IgnoresBatch(bool gradients_too) : gradients_too_(gradients_too) {}

 private:
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override {
    auto result = inner_->evaluate(want, x, y, batch);
    const auto whole = inner_->evaluate(want, x, y);
    if (gradients_too_) result.grad_x = whole.grad_x, result.grad_y = whole.grad_y;
    return result;
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    if (!also.empty()) evaluation = do_evaluate(also, x, y, batch);
    return std::make_unique<At>(std::make_shared<Linearization>(inner_->linearize(x, y)));
  }
  bool gradients_too_;
};

TEST(CheckCalls, FindsProductsAndGradientsThatIgnoreTheBatch) {
  expect_only(IgnoresBatch(false), kBatch, Oracle::hess_yy | Oracle::hess_xy | Oracle::hess_yx);
  expect_only(IgnoresBatch(true), kBatch, Oracle::grad_x | Oracle::grad_y);
}

}  // namespace
}  // namespace bilevel
