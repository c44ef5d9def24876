// The one list of every built-in name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/method.hpp"

namespace bilevel {

/// An outer method as it is named in options, tables and the manual.
struct MethodEntry {
  std::string name;     // "smbg"
  std::string summary;  // one line
  std::string source;   // "[BLPV25, Alg. SMBG]"
  /// The options with their defaults; the references in it stay valid as long as the returned pointer.
  std::function<std::shared_ptr<OptionTable>()> options;
  /// Throws InvalidOption for an unknown name or a value out of range.
  std::function<std::unique_ptr<OuterMethod>(const std::map<std::string, std::string>& settings)> make;
};

/// All outer methods, the default first.
const std::vector<MethodEntry>& methods();

/// Throws InvalidOption that offers the nearest name.
const MethodEntry& find_method(std::string_view name);

/// A method by name with settings by option name, e.g. make_method("smbg", {{"inner-steps", "20"}}).
std::unique_ptr<OuterMethod> make_method(std::string_view name,
                                         const std::map<std::string, std::string>& settings = {});

/// The names of all outer methods, as in --method.
std::vector<std::string> method_names();

}  // namespace bilevel
