#include "kernels/kernels_bench.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "against_peak.hpp"
#include "kernels/dense_rows.hpp"
#include "kernels/softmax_block.hpp"
#include "kernels/thread_team.hpp"
#include "machine_peak.hpp"

namespace {

using namespace bilevel::kernels;

constexpr std::size_t kRows = 20000;
constexpr std::size_t kFeatures = 784;
constexpr std::size_t kClasses = 10;
/// Blocks between two additions of a float gradient to its double total.
constexpr std::size_t kFlushBlocks = 16;

/// What one thread writes to.
template <class Real>
struct Workspace {
  AlignedBuffer<Real> Z{2 * kClasses * kBlockRows};
  AlignedBuffer<Real> G;
  std::vector<double> total;
  std::vector<Real> row_loss = std::vector<Real>(kBlockRows);

  explicit Workspace(std::size_t size) : G(size), total(size) {}

  void flush() {
    for (std::size_t i = 0; i < G.size(); ++i) {
      total[i] += static_cast<double>(G[i]);
      G[i] = Real{0};
    }
  }
};

/// Data, parameters and every thread's workspace.
template <class Real>
class Softmax {
 public:
  explicit Softmax(std::size_t threads) : team(threads), W_(2 * kClasses * data_.weight_stride()) {
    std::uint32_t state = 1;
    const auto uniform = [&state] {
      state = state * 1664525U + 1013904223U;
      return static_cast<Real>(state >> 8) / Real(1 << 24);
    };
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kFeatures; ++j) data_.row(i)[j] = uniform();
      labels_.push_back(static_cast<std::int32_t>(uniform() * Real(kClasses)));
    }
    for (std::size_t c = 0; c < 2 * kClasses; ++c) {
      for (std::size_t j = 0; j < kFeatures; ++j)
        W_[c * data_.weight_stride() + j] = (uniform() - Real(0.5)) / Real(50);
    }
    for (std::size_t k = 0; k < team.size(); ++k) workspaces_.emplace_back(W_.size());
    probabilities_ = AlignedBuffer<Real>((kRows + kBlockRows - 1) / kBlockRows * kClasses * kBlockRows);
  }

  /// Loss and gradient; the probabilities are kept, as the forward half of an unrolled hypergradient does.
  void gradient() {
    pass(kClasses, [&](std::size_t begin, std::size_t count, Workspace<Real>& own) {
      Real* const P = probabilities_.data() + begin * kClasses;
      data_.scores(begin, count, W_.data(), kClasses, P);
      softmax_block(count, kClasses, labels_.data() + begin, P, own.row_loss.data());
      residual_block(count, kClasses, labels_.data() + begin, P, nullptr, own.Z.data());
      data_.accumulate(begin, count, own.Z.data(), kClasses, own.G.data());
    });
  }

  /// Hessian-vector product with the kept probabilities: the reverse half.
  void product() {
    pass(kClasses, [&](std::size_t begin, std::size_t count, Workspace<Real>& own) {
      const Real* const P = probabilities_.data() + begin * kClasses;
      Real* const Z = own.Z.data();
      data_.scores(begin, count, W_.data(), kClasses, Z);
      product_block(count, kClasses, labels_.data() + begin, P, Z, nullptr, Z, own.row_loss.data());
      data_.accumulate(begin, count, Z, kClasses, own.G.data());
    });
  }

  /// Both from the same rows, the two parameter vectors stacked.
  void gradient_and_product() {
    pass(2 * kClasses, [&](std::size_t begin, std::size_t count, Workspace<Real>& own) {
      Real* const P = own.Z.data();
      Real* const Z = P + kClasses * kBlockRows;
      data_.scores(begin, count, W_.data(), 2 * kClasses, P);
      softmax_block(count, kClasses, labels_.data() + begin, P, own.row_loss.data());
      product_block(count, kClasses, labels_.data() + begin, P, Z, nullptr, Z, own.row_loss.data());
      residual_block(count, kClasses, labels_.data() + begin, P, nullptr, P);
      data_.accumulate(begin, count, P, 2 * kClasses, own.G.data());
    });
  }

  /// Loss only: one thin product.
  void loss() {
    pass(0, [&](std::size_t begin, std::size_t count, Workspace<Real>& own) {
      data_.scores(begin, count, W_.data(), kClasses, own.Z.data());
      softmax_block(count, kClasses, labels_.data() + begin, own.Z.data(), own.row_loss.data());
    });
  }

  /// Reads the features once, padding and all, and does nothing with them.
  double read_seconds() { return measured_read_seconds(team, data_.row(0), kRows * data_.weight_stride()); }

  ThreadTeam team;

 private:
  template <class Block>
  void pass(std::size_t gradient_classes, Block block) {
    team.run([&](std::size_t k) {
      Workspace<Real>& own = workspaces_[k];
      const RowRange share = row_share(kRows, team.size(), k);
      std::size_t blocks = 0;
      for (std::size_t begin = share.begin; begin < share.end; begin += kBlockRows) {
        block(begin, std::min(kBlockRows, share.end - begin), own);
        if (gradient_classes > 0 && ++blocks % kFlushBlocks == 0) own.flush();
      }
      if (gradient_classes > 0) own.flush();
    });
    if (gradient_classes == 0) return;
    std::vector<const double*> parts;
    for (const Workspace<Real>& own : workspaces_) parts.push_back(own.total.data());
    std::vector<double> gradient(gradient_classes * data_.weight_stride(), 0.0);
    add_in_order(parts, gradient);
  }

  DenseRows<Real> data_{kRows, kFeatures};
  std::vector<std::int32_t> labels_;
  AlignedBuffer<Real> W_;
  AlignedBuffer<Real> probabilities_;
  std::vector<Workspace<Real>> workspaces_;
};

/// `products` thin products of all rows, and one read of them.
template <class Real>
BenchRow softmax_row(const std::string& name, Softmax<Real>& model, double products,
                     const std::function<void()>& pass) {
  const double flops = products * 2.0 * static_cast<double>(kRows * kFeatures * kClasses);
  return against_peak<Real>(name, model.team, flops, pass, [&] { return model.read_seconds(); });
}

template <class Real>
void bench_softmax(const std::string& precision, std::size_t threads, std::vector<BenchRow>& rows) {
  Softmax<Real> model(threads);
  const std::string where = " 20000x784x10 " + precision + " " + std::to_string(threads) + "t";
  rows.push_back(softmax_row("softmax loss" + where, model, 1, [&] { model.loss(); }));
  rows.push_back(softmax_row("softmax gradient" + where, model, 2, [&] { model.gradient(); }));
  rows.push_back(softmax_row("softmax product" + where, model, 2, [&] { model.product(); }));
  rows.push_back(softmax_row("softmax gradient+product" + where, model, 4, [&] { model.gradient_and_product(); }));
}

}  // namespace

std::vector<BenchRow> bench_kernels() {
  std::vector<BenchRow> rows;
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    bench_softmax<float>("float32", threads, rows);
    bench_softmax<double>("float64", threads, rows);
  }
  return rows;
}
