// The options of all outer methods under one roof, so that a command line can be read before its method is known.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "bilevel/options.hpp"

namespace bilevel::cli {

class MethodOptions {
 public:
  MethodOptions();

  /// Adds every option of every method once; one that not all methods have says whose it is.
  void describe(OptionTable& table) const;

  /// What was set, as settings of `method` (see make_method). Throws InvalidOption for an option in `given` that the
  /// method does not have, naming the methods that do.
  std::map<std::string, std::string> settings_for(const std::string& method, const std::set<std::string>& given) const;

  /// `table`, to which describe() added these options, without those that `method` does not have, and with the values
  /// that it runs with under `settings`: what config.toml should say.
  OptionTable used(const OptionTable& table, const std::string& method,
                   const std::map<std::string, std::string>& settings) const;

 private:
  std::shared_ptr<std::map<std::string, std::string>> texts_;  // what was set, by name; shared with the table's entries
};

}  // namespace bilevel::cli
