#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <system_error>

#include "bilevel/status.hpp"
#include "command.hpp"
#include "terminal/stream.hpp"

namespace bilevel::cli {

namespace {

std::string overview(const std::vector<Command>& commands) {
  std::string text =
      "bilevel " BILEVEL_VERSION
      ": gradient-based bilevel optimization\n\nUsage: bilevel <command> [--option value ...]\n\nCommands\n";
  std::size_t widest = 4;
  for (const auto& command : commands) widest = std::max(widest, command.name.size());
  for (const auto& command : commands) text += fmt::format("  {:<{}}  {}\n", command.name, widest, command.summary);
  text += fmt::format("  {:<{}}  {}\n", "help", widest, "a command's options: bilevel help <command>");
  return text +
         "\n  -h, --help  this text\n  --version   the version\n\nExit status\n"
         "  0    an answer, certified where the command certifies\n"
         "  1    the run ended without one\n"
         "  2    input, options or files that cannot be used\n"
         "  3    the result is printed, but a file of it or its picture could not be written\n"
         "  130  interrupted; what was found is kept\n";
}

const Command& find_command(const std::vector<Command>& commands, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& command : commands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  names.insert(names.end(), {"help", "--help", "--version"});
  const auto nearest = nearest_name(name, names);
  const auto hint = nearest.empty() ? "`bilevel --help` lists all" : fmt::format("did you mean '{}'?", nearest);
  const auto* kind = name.starts_with('-') ? "option" : "command";
  throw InvalidOption(fmt::format("unknown {} '{}'; {}", kind, name, hint));
}

int run(const std::vector<Command>& commands, const std::vector<std::string>& arguments) {
  const std::string first = arguments.empty() ? "help" : arguments.front();
  if (first == "help" && arguments.size() == 2) return find_command(commands, arguments[1]).run({"--help"});
  if (first == "help" || first == "--help" || first == "-h" || first == "--version") {
    if (arguments.size() > 1) {
      throw InvalidOption(fmt::format("unexpected argument '{}' after '{}'", arguments.back(), first));
    }
    write_out(first == "--version" ? "bilevel " BILEVEL_VERSION "\n" : overview(commands));
    return kSuccess;
  }
  return find_command(commands, first).run({arguments.begin() + 1, arguments.end()});
}

}  // namespace

int dispatch(const std::vector<Command>& commands, const std::vector<std::string>& arguments) {
  const auto fail = [](std::string_view sentence, int code) {
    write_message(sentence);
    return code;
  };
  try {
    return run(commands, arguments);
  } catch (const Error& error) {
    return fail(error.what(), kBadInput);
  } catch (const std::bad_alloc&) {
    return fail("there is not enough memory for this problem", kNoSuccess);
  } catch (const std::system_error& error) {  // its sentence says enough: a disk that is full, a file that vanished
    return fail(error.what(), kNoSuccess);
  } catch (const std::exception& error) {
    return fail(fmt::format("stopped by an unexpected failure: {}", error.what()), kNoSuccess);
  } catch (...) {
    return fail("stopped by an unexpected failure of unknown kind", kNoSuccess);
  }
}

}  // namespace bilevel::cli
