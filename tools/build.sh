#!/usr/bin/env bash
# Configures and builds a preset: tools/build.sh PRESET [CMake option...]. Run tools/setup.sh first.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift

for task in test lint build; do
  venv=build/venv/$task
  [[ -x $venv/bin/python ]] && break
done
options=(-Dpybind11_DIR="$("$venv/bin/python" -m pybind11 --cmakedir)" "$@")
if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

cmake --preset "$preset" "${options[@]}"
cmake --build --preset "$preset" --parallel "$(nproc)"
