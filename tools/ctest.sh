#!/usr/bin/env bash
# Runs the C++ tests of a built preset: tools/ctest.sh PRESET. Prints the failures and the closing lines.
set -euo pipefail
cd "$(dirname "$0")/.."
log=build/$1/ctest.log

status=0
ctest --preset "$1" --parallel "$(nproc)" --timeout 300 --quiet --output-log "$log" || status=$?
if [[ $status -eq 0 ]]; then sed -n '/tests passed/,$p' "$log"; else cat "$log"; fi
exit "$status"
