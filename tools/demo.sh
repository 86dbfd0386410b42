#!/usr/bin/env bash
# Builds an optimised Gauge for this machine's Python, records demo/library_atlas.py with it and converts the
# recording to four formats, below build/demo.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh build
python=$(build/venv/build/bin/python -c 'import sys; print(sys._base_executable)')
# As pip builds it (pyproject.toml), and in the folder in which tests/python/package_testing.py lets pip build: what one
# of them has compiled, the other need not. For the one interpreter that is going to be recorded.
built=build/packages/objects
mkdir -p build/packages build/demo
exec 9>build/packages/lock
flock 9
tools/build.sh release $built -DCMAKE_BUILD_TYPE=Release -DGAUGE_BUILD_TESTS=OFF -DGAUGE_WARNINGS_AS_ERRORS=OFF \
  -DGAUGE_PYTHONS="$python" -DSKBUILD=OFF
flock --unlock 9
gauge=$built/bin/gauge
atlas=build/demo/atlas

step() { printf '\n$ %s\n' "$*"; "$@"; }

step "$gauge" record --force --rate 1khz -o $atlas.gpf -- "$python" demo/library_atlas.py >build/demo/atlas.json
step "$gauge" convert --force --to speedscope -o $atlas.speedscope.json $atlas.gpf
step "$gauge" convert --force --to callgrind -o $atlas.callgrind $atlas.gpf
step "$gauge" convert --force --to pstats -o $atlas.pstats $atlas.gpf
step "$gauge" convert --force --to otlp-spans -o $atlas.otlp.json $atlas.gpf
step "$gauge" report --sort cpu --limit 15 $atlas.gpf

cat <<END

Look further:
  $atlas.speedscope.json   in the Speedscope app, such as \`npx speedscope $atlas.speedscope.json\`
  $atlas.callgrind         kcachegrind $atlas.callgrind, or callgrind_annotate
  $atlas.pstats            $python -m pstats $atlas.pstats
  $atlas.otlp.json         spans, for any OpenTelemetry collector
Record a program of your own:
  $gauge record -o out.gpf -- python3 prog.py
  $gauge report out.gpf
END
