#!/usr/bin/env bash
# Makes tests/fuzz/corpus anew, from recordings of a small program and from code of the interpreters of this machine:
#
#   tests/fuzz/make_corpus.sh PYTHON...     of which one should be 3.9, one 3.10 and one later
#
# Needs build/dev (`make build`). Written by hand: corpus/source_outline/constructs.
set -euo pipefail
cd "$(dirname "$0")"
root=../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for python in "$@"; do
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$root/build/dev/bin/gauge" record -r 500 -o "$work/$version.gpf" -- "$python" recorded_program.py
  "$root/build/dev/tests/gauge-fuzz-inputs" "$work/$version.gpf" corpus "$version"
  "$python" -B make_line_tables.py corpus/line_table
done
cp recorded_program.py corpus/source_outline/program
