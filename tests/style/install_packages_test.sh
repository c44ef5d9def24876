#!/usr/bin/env bash
# Runs scripts/install_packages on pretended machines: stand-ins for dpkg-query, apt-get, apt-cache, id and sudo say
# what the machine is like and write down what they were asked to do. Nothing is installed.
#
#   install_packages_test.sh FOLDER        FOLDER is emptied first
#
# shellcheck disable=SC2016  # the stand-ins expand their variables themselves
set -euo pipefail
script=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../scripts" && pwd)/install_packages
machine=${1:?a folder to work in}
rm -rf "$machine"
mkdir -p "$machine/bin"
machine=$(cd "$machine" && pwd)
failed=0

stand_in() {
  printf '#!/bin/bash\n%s\n' "$2" >"$machine/bin/$1"
  chmod +x "$machine/bin/$1"
}
stand_in dpkg-query 'for last; do :; done; [[ " $LACKS " == *" $last "* ]] && exit 1; printf installed'
stand_in apt-cache '[[ -n $HAS_LISTS || -e $MACHINE/updated ]]'
stand_in apt-get 'echo "apt-get $*" >>"$MACHINE/calls"
if [[ $1 == update ]]; then touch "$MACHINE/updated"; exit 0; fi
[[ -z $STALE || -e $MACHINE/updated ]]'
stand_in id 'echo "$MY_ID"'
stand_in sudo 'if [[ $1 == -n ]]; then [[ -n $SUDO_WORKS ]]; exit; fi; echo sudo >>"$MACHINE/calls"; "$@"'

# expect NAME STATUS CALLS TEXT [VARIABLE=value...]: what the script returns, asks for, and (in part) prints
expect() {
  local name=$1 status=$2 calls=$3 text=$4
  shift 4
  rm -f "$machine/calls" "$machine/updated"
  local got=0 output made=""
  output=$(env LACKS= HAS_LISTS=1 STALE= SUDO_WORKS= MY_ID=0 BILEVEL_NO_INSTALL= "$@" MACHINE="$machine" \
    PATH="$machine/bin:/usr/bin:/bin" "$script" build test 2>&1 </dev/null) || got=$?
  if [[ -e $machine/calls ]]; then made=$(paste -s -d ';' "$machine/calls"); fi
  if [[ $got != "$status" || $made != "$calls" || $output != *"$text"* ]]; then
    printf 'FAILED: %s\n  status %s, expected %s\n  calls %s\n  expected %s\n  output:\n%s\n' \
      "$name" "$got" "$status" "$made" "$calls" "$output"
    failed=1
  fi
}

install='apt-get install -y --no-install-recommends'
expect 'nothing is missing' 0 '' ''
expect 'only what is missing is installed' 0 "$install cmake libgtest-dev" 'unit tests' LACKS='cmake libgtest-dev'
expect 'a machine without package lists' 0 "apt-get update -q;$install cmake" '' LACKS=cmake HAS_LISTS=
expect 'lists that are out of date' 0 "$install cmake;apt-get update -q;$install cmake" 'out of date' LACKS=cmake STALE=1
expect 'a user with sudo' 0 "sudo;$install cmake" '' LACKS=cmake MY_ID=1000 SUDO_WORKS=1
expect 'a user without sudo is told what to type' 1 '' "su -c 'apt-get update && $install cmake'" LACKS=cmake MY_ID=1000
expect 'installing is forbidden' 0 '' 'going on without' LACKS=cmake BILEVEL_NO_INSTALL=1
expect 'packages of other groups are left alone' 0 '' '' LACKS=nosuchpackage

exit "$failed"
