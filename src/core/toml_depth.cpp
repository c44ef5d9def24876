#include "core/toml_depth.hpp"

#include <algorithm>
#include <vector>

namespace bilevel {

namespace {

/// The byte after the string that begins at `open`; the end of the line or text if it is not closed.
std::size_t end_of_string(std::string_view text, std::size_t open) {
  const char quote = text[open];
  const bool has_escapes = quote == '"';
  const auto is_triple = [&](std::size_t at) {
    return at + 2 < text.size() && text[at] == quote && text[at + 1] == quote && text[at + 2] == quote;
  };
  const bool multi_line = is_triple(open);
  for (std::size_t at = open + (multi_line ? 3 : 1); at < text.size(); ++at) {
    if (has_escapes && text[at] == '\\') {
      ++at;
    } else if (!multi_line && text[at] == '\n') {
      return at;
    } else if (!multi_line && text[at] == quote) {
      return at + 1;
    } else if (multi_line && is_triple(at)) {
      // Up to two quotes may stand right before the closing three.
      std::size_t end = at + 3;
      while (end < std::min(at + 5, text.size()) && text[end] == quote) ++end;
      return end;
    }
  }
  return text.size();
}

class Depth {
 public:
  /// Takes the next character outside of strings and comments into account.
  void see(char c) {
    if (c == '\n') {
      if (open_.size() == 1) start_line();
    } else if (in_header_) {
      if (c == '.' || c == '[') ++header_;
    } else if (in_key_) {
      see_in_key(c);
    } else if (c == '[' || c == '{') {
      open_.push_back({c == '{', 0});
      in_key_ = c == '{';
    } else if (c == ']' || c == '}') {
      close();
    } else if (c == ',' && open_.back().is_table) {
      start_key();
    }
  }

  std::size_t levels() const { return header_ + parts_ + open_.size() - 1; }

 private:
  struct Open {
    bool is_table;
    std::size_t parts;  // of the key that is being read or has its value read
  };

  void see_in_key(char c) {
    if (c == '[' && open_.size() == 1) {
      in_header_ = true;
      header_ = 1;
    } else if (c == '.') {
      ++open_.back().parts;
      ++parts_;
    } else if (c == '=') {
      in_key_ = false;
    } else if (c == '}') {
      close();
    }
  }

  void start_key() {
    parts_ -= open_.back().parts;
    open_.back().parts = 0;
    in_key_ = true;
  }

  void start_line() {
    in_header_ = false;
    start_key();
  }

  void close() {
    in_key_ = false;
    if (open_.size() == 1) return;  // a mistake, which the parser reports
    parts_ -= open_.back().parts;
    open_.pop_back();
  }

  std::size_t header_ = 0;  // tables that the last header opens
  std::size_t parts_ = 0;   // sum over open_
  std::vector<Open> open_{{true, 0}};
  bool in_header_ = false;
  bool in_key_ = true;
};

TomlPlace place_of(std::string_view text, std::size_t at) {
  TomlPlace place;
  for (std::size_t i = 0; i < at; ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if (i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

}  // namespace

std::optional<TomlPlace> deeper_than(std::string_view toml, std::size_t most) {
  Depth depth;
  for (std::size_t at = 0; at < toml.size();) {
    const char c = toml[at];
    if (c == '#') {
      at = std::min(toml.find('\n', at), toml.size());
    } else if (c == '"' || c == '\'') {
      at = end_of_string(toml, at);
    } else {
      depth.see(c);
      if (depth.levels() > most) return place_of(toml, at);
      ++at;
    }
  }
  return std::nullopt;
}

}  // namespace bilevel
