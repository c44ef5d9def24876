#include "run/audience.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "run/watched_step.hpp"

namespace bilevel {

Audience::Audience(const std::vector<Observer*>& observers) : listening_(observers) {
  const auto null = std::find(observers.begin(), observers.end(), nullptr);
  if (null != observers.end()) {
    throw InvalidArgument(fmt::format("observer {} of the {} given to run() is null: leave it out",
                                      null - observers.begin() + 1, observers.size()));
  }
}

void Audience::tell(const char* event, const std::function<void(Observer&)>& tell) {
  for (auto*& observer : listening_) {
    try {
      tell(*observer);
    } catch (...) {
      observer = nullptr;
      if (error_) continue;
      error_ = std::current_exception();
      message_ = fmt::format("an observer threw in {}: {}", event, what_of(error_));
    }
  }
  std::erase(listening_, nullptr);
}

bool Audience::wants_stop() {
  bool stop = false;
  tell("wants_stop", [&](const Observer& observer) { stop = observer.wants_stop() || stop; });
  return stop;
}

}  // namespace bilevel
