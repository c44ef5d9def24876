#include "output_options.hpp"

#include <fmt/format.h>

namespace bilevel::cli {

void add_run_directory(OptionTable& table, std::string& out, bool& overwrite) {
  table.group("Output")
      .add("out", out, "directory of the run's files; default: the next free one under runs/", "a directory")
      .add("overwrite", overwrite, kOverwriteHelp);
}

void add_picture(OptionTable& table, std::string& plot, const std::string& what, const std::string& example) {
  table.add("plot", plot,
            fmt::format("draw the {} into this file, e.g. {}; a picture that bilevel drew is replaced", what, example),
            "a file that ends in .png or .svg");
}

void add_printing(OptionTable& table, bool& json, bool& quiet) {
  table.add("json", json, "print result.json alone on standard output")
      .add("quiet", quiet, "no progress on standard error");
}

}  // namespace bilevel::cli
