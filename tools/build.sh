#!/usr/bin/env bash
# Configures and builds a preset in a folder: tools/build.sh PRESET FOLDER [CMake option...]. Run tools/setup.sh first.
# TARGET in the environment: what to build, instead of everything.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
folder=$2
shift 2

for task in test lint build; do
  venv=build/venv/$task
  [[ -x $venv/bin/python ]] && break
done
options=(-Dpybind11_DIR="$("$venv/bin/python" -m pybind11 --cmakedir)" "$@")
if command -v ccache >/dev/null; then
  options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  export CCACHE_SLOPPINESS=pch_defines,time_macros  # without, it leaves out what uses precompiled headers
fi

cmake --preset "$preset" -B "$folder" "${options[@]}"
cmake --build "$folder" --parallel "$(nproc)" --target "${TARGET:-all}"
