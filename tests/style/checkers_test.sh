#!/usr/bin/env bash
# Plants one offence after another in a small tree and demands that the checker names its file and line.
#
#   checkers_test.sh FOLDER        FOLDER is emptied first
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../scripts" && pwd)
tree=${1:?a folder to work in}
failed=0

fresh_tree() {
  rm -rf "$tree"
  mkdir -p "$tree"/src/{core,lower,methods} "$tree/include/bilevel" "$tree/tests"
  printf '#include "bilevel/status.hpp"\n#include "core/check.hpp"\n' >"$tree/src/core/check.cpp"
  printf '#include "check.hpp"\n#include <vector>\n' >"$tree/src/core/other.cpp"
  printf '#include "lower/descent.hpp"\n#include "core/check.hpp"\n' >"$tree/src/methods/smbg.cpp"
  printf '#include "bilevel/vec.hpp"\n' >"$tree/include/bilevel/status.hpp"
}

# accepts CHECKER
accepts() {
  local output
  if ! output=$("$scripts/$1" "$tree" 2>&1); then
    printf 'FAILED: %s must accept the tree, but says:\n%s\n' "$1" "$output"
    failed=1
  fi
}

# catches CHECKER FILE LINE CONTENT: with CONTENT in FILE the checker fails and names FILE:LINE
catches() {
  fresh_tree
  mkdir -p "$tree/$(dirname "$2")"
  printf '%b' "$4" >"$tree/$2"
  local output
  if output=$("$scripts/$1" "$tree" 2>&1); then
    printf 'FAILED: %s accepts %s with %s\n' "$1" "$2" "$4"
    failed=1
  elif [[ $output != *"$2:$3"* ]]; then
    printf 'FAILED: %s does not name %s:%s but says:\n%s\n' "$1" "$2" "$3" "$output"
    failed=1
  fi
}

fresh_tree
accepts check_includes
accepts check_text

catches check_includes src/lower/descent.cpp 2 '#include <vector>\n#include "methods/smbg.hpp"\n'
catches check_includes src/core/check.cpp 1 '  #  include "lower/descent.hpp"\n'
catches check_includes src/data/idx.cpp 1 '#include "methods/smbg.hpp"\n'
catches check_includes src/methods/smbg.cpp 1 '#include "applications/cleaning.hpp"\n'
catches check_includes src/methods/smbg.cpp 1 '#include "../core/check.hpp"\n'
catches check_includes src/run/run.cpp 3 '\n\n#include "cli/main.hpp"\n'
catches check_includes include/bilevel/status.hpp 1 '#include "core/check.hpp"\n'
catches check_includes src/kernels/gemm.cpp 1 '#include "sources/softmax.hpp"\n'
catches check_includes src/strangers/new.cpp '' '#include <vector>\n'

catches check_text src/core/check.cpp 2 'int a;\n\tint b;\n'
catches check_text src/core/check.cpp 1 'int a; \n'
catches check_text src/core/check.cpp 1 'int a;\r\n'
catches check_text src/core/check.cpp 1 '// TO''DO: later\n'
catches check_text src/core/check.cpp 1 '// see /wor''k/notes\n'
catches check_text src/core/check.cpp '' 'int a;'
catches check_text src/core/check.cpp 451 "$(printf '\\n%.0s' {1..451})"

# Tests may write to a folder for temporary files.
fresh_tree
printf 'const char* file = "/tm''p/x";\n' >"$tree/tests/a_test.cpp"
accepts check_text

exit "$failed"
