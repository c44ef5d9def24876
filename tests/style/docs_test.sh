#!/usr/bin/env bash
# Runs scripts/update_docs and scripts/check_links on a small tree with a pretended program: what they write, and what
# they refuse.
#
#   docs_test.sh FOLDER        FOLDER is emptied first
#
# shellcheck disable=SC2016  # the pretended program expands its variables itself; the rest is Markdown
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../scripts" && pwd)
tree=${1:?a folder to work in}
rm -rf "$tree"
mkdir -p "$tree/docs" "$tree/examples"
tree=$(cd "$tree" && pwd)
program=$tree/program
failed=0

printf '#!/bin/bash\ncase "$*" in\n  "options clean") printf "| option |\\n\\n" ;;\n  "clean --help") echo "width $COLUMNS" ;;\n' >"$program"
printf '  methods) echo "smbg & co" ;;\n  *) echo "what is $*?" >&2; exit 2 ;;\nesac\n' >>"$program"
chmod +x "$program"
printf 'int a;\n  // [snippet solve]\n  int b;\n    // [snippet inner]\n    int c;\n    // [/snippet inner]\n\n' >"$tree/examples/a.cpp"
printf '  // [/snippet solve]\n// [snippet open]\n' >>"$tree/examples/a.cpp"

# part KIND_AND_WHAT [OLD CONTENT]: a generated part as it stands in a file
part() { printf '<!-- %s -->\n%b<!-- end -->\n' "$1" "${2:-}"; }

# writes KIND_AND_WHAT CONTENT: the part becomes CONTENT, --check refuses it before and accepts it afterwards
writes() {
  printf '# Title\n%s\nlast line\n' "$(part "$1" 'old\n')" >"$tree/docs/page.md"
  local before after=0 output
  before=$(cat "$tree/docs/page.md")
  if output=$("$scripts/update_docs" --check "$program" "$tree"); then
    printf 'FAILED: --check accepts an old "%s"\n' "$1"
    failed=1
  elif [[ $output != *"docs/page.md:2: $1"* || $(cat "$tree/docs/page.md") != "$before" ]]; then
    printf 'FAILED: --check must name "%s" and change nothing, but says: %s\n' "$1" "$output"
    failed=1
  fi
  "$scripts/update_docs" "$program" "$tree" >/dev/null
  if [[ $(cat "$tree/docs/page.md") != "$(printf '# Title\n%s\nlast line\n' "$(part "$1" "\n$2\n\n")")" ]]; then
    printf 'FAILED: "%s" was written as\n' "$1"
    cat "$tree/docs/page.md"
    failed=1
  fi
  "$scripts/update_docs" --check "$program" "$tree" || after=$?
  if [[ $after != 0 ]]; then
    printf 'FAILED: --check refuses what was just written for "%s"\n' "$1"
    failed=1
  fi
}

# refuses CHECKER TEXT CONTENT: with CONTENT in the page the checker fails and says TEXT
refuses() {
  printf '%b\n' "$3" >"$tree/docs/page.md"
  local output words=("$tree")
  if [[ $1 == update_docs ]]; then words=("$program" "$tree"); fi
  if output=$("$scripts/$1" "${words[@]}" 2>&1); then
    printf 'FAILED: %s accepts %s\n' "$1" "$3"
    failed=1
  elif [[ $output != *"$2"* ]]; then
    printf 'FAILED: %s must say "%s", but says: %s\n' "$1" "$2" "$output"
    failed=1
  fi
}

writes 'generated: options clean' '| option |'
writes 'generated: help clean' '```text\nwidth 100\n```'
writes 'generated: methods' '```text\nsmbg & co\n```'
writes 'snippet: examples/a.cpp#inner' '```cpp\nint c;\n```'
writes 'snippet: examples/a.cpp#inner,solve' '```cpp\nint c;\n\nint b;\n  int c;\n```'
writes 'snippet: examples/a.cpp#solve' '```cpp\nint b;\n  int c;\n```'

refuses update_docs 'docs/page.md:1: "generated: weather" is not known' "$(part 'generated: weather')"
refuses update_docs 'failed: what is options cook?' "$(part 'generated: options cook')"
refuses update_docs 'docs/page.md:1: there is no file b.cpp' "$(part 'snippet: b.cpp#solve')"
refuses update_docs 'has no region' "$(part 'snippet: examples/a.cpp#none')"
refuses update_docs 'has no region' "$(part 'snippet: examples/a.cpp#open')"
refuses update_docs 'docs/page.md:2: the part is not closed' 'text\n<!-- generated: methods -->\nmore'
refuses update_docs 'is not closed by <!-- end --> before line 2' "<!-- generated: methods -->\n$(part 'generated: methods')"
refuses update_docs 'docs/page.md:2: <!-- end --> closes nothing' 'text\n<!-- end -->'

printf '# A title: here\n' >"$tree/README.md"
refuses check_links 'docs/page.md:2: the link gone.md leads to no file' '\n[a](gone.md)'
refuses check_links 'docs/page.md:1: the link ../README.md#there leads to no heading' 'see [a](../README.md#there)'
printf '%s\n' '## A `part`' '[a](../README.md#a-title-here) [b](#a-part) [c](https://a.org/b) `[d](gone)`' >"$tree/docs/page.md"
if ! "$scripts/check_links" "$tree"; then
  echo 'FAILED: check_links must accept links that lead somewhere'
  failed=1
fi

exit "$failed"
