#!/usr/bin/env bash
# Cleans a tiny table and demands that the manual explains every key and column of the files that the run writes.
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

# explain FILE KEY...: each key stands in the manual as `key`, or is an option
explain() {
  local file=$1 key
  shift
  for key; do
    grep -qF -e "\`$key\`" "$docs/cleaning.md" || grep -qF -e "\`--$key\`" -e "\`--[no-]$key\`" "$docs/options.md" || {
      echo "FAILED: neither docs/cleaning.md nor docs/options.md explains \`$key\` of $file"
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
IFS=, read -ra columns <"$folder/run/weights.csv"
explain weights.csv "${columns[@]}"

exit "$failed"
