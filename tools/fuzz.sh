#!/usr/bin/env bash
# Fuzzes under the address and undefined-behaviour sanitizers, each target for so many seconds:
#
#   tools/fuzz.sh SECONDS [TARGET...]      all targets if none is named
#
# block, line_table, profile, recording and source_outline (tests/fuzz) read bytes that anybody may have written, changed
# by libFuzzer: what it finds worth keeping is kept in build/fuzz/corpus, what breaks something is in build/fuzz/found.
# memory (tests/recorder/cpython/fuzz_reader.py) samples every CPython here through a reader that lies. Ends with 1 if
# any target found something.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
targets=("$@")
[[ $# -gt 0 ]] || targets=(block line_table profile recording source_outline memory)

tools/setup.sh fuzz
TARGET=fuzz_targets tools/build.sh fuzz build/fuzz
export ASAN_SYMBOLIZER_PATH ASAN_OPTIONS UBSAN_OPTIONS=print_stacktrace=1
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-19)

fuzz_bytes() {
  mkdir -p "build/fuzz/corpus/$1" build/fuzz/found
  ASAN_OPTIONS=detect_leaks=1 "build/fuzz/tests/fuzz_$1" -max_total_time="$seconds" -max_len=65536 -timeout=20 \
    -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="build/fuzz/found/$1-" \
    "build/fuzz/corpus/$1" "tests/fuzz/corpus/$1"
}

# The sanitizers' runtime has to be there before the interpreter, which was built without; so has what throws.
fuzz_memory() {
  local folder status=0
  for folder in build/fuzz/tests/probes/*/; do
    LD_PRELOAD="$(clang-19 -print-file-name="libclang_rt.asan-$(uname -m).so"):$(clang-19 -print-file-name=libstdc++.so.6)" \
      ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16 PYTHONPATH=$folder \
      "$(cat "${folder}interpreter")" -B tests/recorder/cpython/fuzz_reader.py --seconds "$seconds" || status=1
  done
  return "$status"
}

failed=()
for target in "${targets[@]}"; do
  printf '\n== %s\n' "$target"
  if [[ $target == memory ]]; then fuzz_memory || failed+=("$target"); else fuzz_bytes "$target" || failed+=("$target"); fi
done
if [[ ${#failed[@]} -ne 0 ]]; then
  echo "fuzz: something was found by: ${failed[*]}" >&2
  exit 1
fi
