#!/usr/bin/env bash
# Builds the dev preset and runs every test, C++ then Python; the closing lines of both stand at the end.
# Arguments go to pytest, for example: tools/test.sh -k pstats
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh test
if [[ -x tests/consumers/setup.sh ]]; then tests/consumers/setup.sh; fi
tools/build.sh dev build/dev

# Both run even where the first fails: one run tells all.
failures=0
ctest --preset dev --parallel "$(nproc)" --quiet --output-log build/dev/ctest.log || failures=1
if [[ $failures -ne 0 ]]; then cat build/dev/ctest.log; fi
build/venv/test/bin/python -m pytest "$@" || failures=1

echo
sed -n '/tests passed/,$p' build/dev/ctest.log
exit "$failures"
