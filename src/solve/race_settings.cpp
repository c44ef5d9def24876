#include "solve/race_settings.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bilevel/registry.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

namespace {

struct Setting {
  std::string method, name, value;
};

Setting parse(const std::string& text) {
  const auto equals = text.find('=');
  const auto dot = text.find('.');
  if (equals == std::string::npos || dot == 0 || dot > equals || dot + 1 == equals) {
    throw InvalidOption(
        fmt::format("option 'set' is '{}', but must be METHOD.NAME=VALUE, as in --set soba.batch-size=128", text));
  }
  return {text.substr(0, dot), text.substr(dot + 1, equals - dot - 1), text.substr(equals + 1)};
}

void check_setting(const RaceOptions& options, const std::string& text) {
  const auto setting = parse(text);
  const auto refusal = [&](std::string_view why) {
    return InvalidOption(fmt::format("option 'set' ({}): {}", text, why));
  };
  const auto racing = options.methods.empty() ? method_names() : options.methods;
  if (std::find(racing.begin(), racing.end(), setting.method) == racing.end()) {
    const auto all = method_names();
    const bool exists = std::find(all.begin(), all.end(), setting.method) != all.end();
    const auto nearest = exists ? std::string() : nearest_name(setting.method, racing);
    throw refusal(fmt::format("no method '{}' races{}; those that do are {}", setting.method,
                              nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest),
                              fmt::join(racing, ", ")));
  }
  try {
    find_method(setting.method).options()->set(setting.name, setting.value);
  } catch (const InvalidOption& error) {
    throw refusal(error.what());
  }
}

}  // namespace

MethodSettings own_settings(const RaceOptions& options, std::string_view method) {
  MethodSettings settings;
  for (const auto& text : options.settings) {
    const auto setting = parse(text);
    if (setting.method == method) settings[setting.name] = setting.value;
  }
  return settings;
}

void check_race(const RaceOptions& options) {
  check_options(options);
  for (const auto& name : options.methods) find_method(name);
  for (const auto& text : options.settings) check_setting(options, text);
  // Values that are allowed one by one may not go together.
  for (const auto& name : options.methods.empty() ? method_names() : options.methods) {
    make_method(name, own_settings(options, name));
  }
}

}  // namespace bilevel
