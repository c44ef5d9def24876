#!/usr/bin/env bash
# Cleans a tiny table, solves a small game, and demands that the manual explains every key and column of their files.
#
#   documented_keys_test.sh PROGRAM FOLDER        FOLDER is emptied first
set -euo pipefail
docs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../docs" && pwd)
program=${1:?the built program}
folder=${2:?a folder to work in}
rm -rf "$folder"
mkdir -p "$folder"
failed=0

awk 'BEGIN {
  print "a,b,label"
  for (i = 0; i < 60; i++) print i % 2 + i / 100 "," i % 7 "," (i % 2 ? "odd" : "even")
}' >"$folder/rows.csv"
"$program" clean --train "$folder/rows.csv" --valid "$folder/rows.csv" --test "$folder/rows.csv" --label label \
  --corrupt 0.2 --max-iterations 2 --threads 1 --out "$folder/run" --quiet >/dev/null

manual=cleaning.md
# explain FILE KEY...: each key stands in the manual as `key`, or is an option
explain() {
  local file=$1 key
  shift
  for key; do
    grep -qF -e "\`$key\`" "$docs/$manual" || grep -qF -e "\`--$key\`" -e "\`--[no-]$key\`" "$docs/options.md" || {
      echo "FAILED: neither docs/$manual nor docs/options.md explains \`$key\` of $file"
      failed=1
    }
  done
}

for file in "$folder"/run/*; do
  explain 'the run directory' "$(basename "$file")"
done
for file in result.json trace.jsonl; do
  mapfile -t keys < <(grep -oE '"[a-z0-9_-]+":' "$folder/run/$file" | tr -d '":' | sort -u)
  ((${#keys[@]} >= 9)) || { echo "FAILED: $file has only the keys: ${keys[*]}" && failed=1; }
  explain "$file" "${keys[@]}"
done
# The same of a game that is solved.
manual=games.md
cat >"$folder/game.toml" <<'GAME'
[problem]
upper = "(x - 0.3)^2 + (y - 0.1)^2"
lower = "(y^2 - 1 - 0.2*x)^2"
[start]
x = 0.5
y = 1.2
GAME
"$program" solve "$folder/game.toml" --out "$folder/solved" --quiet >/dev/null
mapfile -t keys < <(grep -oE '"[a-z0-9_-]+":' "$folder/solved/result.json" | tr -d '":' | sort -u)
((${#keys[@]} >= 40)) || { echo "FAILED: the solved game has only the keys: ${keys[*]}" && failed=1; }
explain 'a solved game' "${keys[@]}"

manual=cleaning.md
IFS=, read -ra columns <"$folder/run/weights.csv"
explain weights.csv "${columns[@]}"

exit "$failed"
