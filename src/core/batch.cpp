#include "bilevel/batch.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

Sampler::Sampler(std::size_t count, std::size_t batch_size, std::uint64_t seed)
    : batch_size_(batch_size), random_(seed), position_(count) {
  if (batch_size < 1 || batch_size > count) {
    throw InvalidOption(
        fmt::format("batch size {} does not fit {} samples: it must be between 1 and {}", batch_size, count, count));
  }
  order_.resize(count);
}

Batch Sampler::next() {
  if (position_ == order_.size()) {
    order_ = random_.permutation(order_.size());
    position_ = 0;
  }
  const std::size_t size = std::min(batch_size_, order_.size() - position_);
  const std::span<const std::uint32_t> indices(order_.data() + position_, size);
  position_ += size;
  return Batch(indices);
}

std::string Sampler::state() const {
  std::ostringstream out;
  out << "sampler 1 " << order_.size() << ' ' << batch_size_ << ' ' << position_ << ' ' << random_.engine();
  for (const auto index : order_) out << ' ' << index;
  return out.str();
}

void Sampler::restore(const std::string& state) {
  std::istringstream in(state);
  std::string tag;
  int version = 0;
  std::size_t count = 0, batch_size = 0, position = 0;
  Random random(0);
  in >> tag >> version >> count >> batch_size >> position >> random.engine();
  if (!in || tag != "sampler" || version != 1) throw InvalidInput("the sampler's state cannot be read");
  if (count != order_.size() || batch_size != batch_size_ || position > count) {
    throw InvalidInput(fmt::format("the sampler's state is for {} samples in batches of {}, but this one has {} in {}",
                                   count, batch_size, order_.size(), batch_size_));
  }
  std::vector<std::uint32_t> order(count);
  for (auto& index : order) in >> index;
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  const bool unused =
      position == count && std::all_of(order.begin(), order.end(), [](auto index) { return index == 0; });
  bool is_permutation = static_cast<bool>(in);
  for (std::size_t i = 0; i < count; ++i) is_permutation = is_permutation && sorted[i] == i;
  if (!is_permutation && !(in && unused)) {
    throw InvalidInput("the sampler's state is cut short or does not hold every sample once");
  }
  random_ = random;
  order_ = std::move(order);
  position_ = position;
}

}  // namespace bilevel
