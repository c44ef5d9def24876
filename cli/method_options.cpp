#include "method_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "bilevel/registry.hpp"
#include "bilevel/status.hpp"

namespace bilevel::cli {

namespace {

/// The methods that have each option, by the option's name. Made once: each method's table takes a while to write.
const std::map<std::string, std::vector<std::string>>& all_owners() {
  static const auto all = [] {
    std::map<std::string, std::vector<std::string>> owners;
    for (const auto& method : methods()) {
      const auto own = method.options();
      for (const auto& entry : own->entries()) owners[entry.name].push_back(method.name);
    }
    return owners;
  }();
  return all;
}

const std::vector<std::string>& owners(const std::string& option) {
  static const std::vector<std::string> none;
  const auto found = all_owners().find(option);
  return found == all_owners().end() ? none : found->second;
}

}  // namespace

MethodOptions::MethodOptions() : texts_(std::make_shared<std::map<std::string, std::string>>()) {}

void MethodOptions::describe(OptionTable& table) const {
  const auto texts = texts_;
  for (const auto& method : methods()) {
    const auto own = method.options();  // kept alive by the entries, which refer to its fields
    for (const auto& entry : own->entries()) {
      if (table.find(entry.name) != nullptr) continue;
      auto shared = entry;
      const auto& names = owners(entry.name);
      if (names.size() < methods().size()) shared.help += fmt::format(" [{}]", fmt::join(names, ", "));
      shared.text = [texts, own, name = entry.name, by_default = entry.default_text] {
        const auto set = texts->find(name);
        return set == texts->end() ? by_default : set->second;
      };
      shared.assign = [texts, own, name = entry.name](std::string_view text) {
        own->set(name, text);
        (*texts)[name] = own->at(name).text();
      };
      table.group(entry.group).add(std::move(shared));
    }
  }
}

std::map<std::string, std::string> MethodOptions::settings_for(const std::string& method,
                                                               const std::set<std::string>& given) const {
  std::map<std::string, std::string> settings;
  const auto table = find_method(method).options();
  for (const auto& [name, text] : *texts_) {
    if (table->find(name) != nullptr) {
      settings[name] = text;
    } else if (given.count(name) > 0) {
      throw InvalidOption(fmt::format("option '{}' does not apply to method {}: it belongs to {}", name, method,
                                      fmt::join(owners(name), ", ")));
    }
  }
  return settings;
}

OptionTable MethodOptions::used(const OptionTable& table, const std::string& method,
                                const std::map<std::string, std::string>& settings) const {
  const auto own = find_method(method).options();
  for (const auto& [name, text] : settings) own->set(name, text);
  OptionTable result;
  for (const auto& entry : table.entries()) {
    if (own->find(entry.name) == nullptr && !owners(entry.name).empty()) continue;
    auto kept = entry;
    if (own->find(entry.name) != nullptr) {
      kept.text = [own, name = entry.name] { return own->at(name).text(); };
    }
    result.group(entry.group).add(std::move(kept));
  }
  result.take_defaults(table);
  return result;
}

}  // namespace bilevel::cli
