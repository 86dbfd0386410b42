#!/usr/bin/env bash
# Builds the dev preset and runs every test, C++ then Python; the closing lines of both stand at the end.
# Arguments go to pytest, for example: tools/test.sh -k pstats
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh test
PATH=$PATH:$PWD/build/venv/test/bin tests/consumers/setup.sh  # npm may be one of the environment's
tools/build.sh dev build/dev

# Both run even where the first fails: one run tells all.
status=0
# A worker for each core and one more, since many tests wait. A test must not care how busy the machine is.
build/venv/test/bin/python -m pytest -n $(($(nproc) + 1)) "$@" || status=1
echo
tools/ctest.sh dev || status=1
exit "$status"
