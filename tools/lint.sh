#!/usr/bin/env bash
# Checks what needs no running of the program. All checks run; the exit status is 1 if any failed.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh lint
tools/build.sh dev build/dev  # generated headers and the dependency log that clang-tidy's cache needs
venv=build/venv/lint/bin

failed=()
check() {
  local name=$1
  shift
  if "$@"; then echo "lint: $name: ok"; else failed+=("$name"); echo "lint: $name: FAILED" >&2; fi
}

cxx_format() { git ls-files '*.cc' '*.h' | xargs -r "$venv/clang-format" --dry-run --Werror; }
shell_scripts() { git ls-files '*.sh' .ci/run | xargs -r "$venv/shellcheck"; }

check clang-format cxx_format
check shellcheck shell_scripts
check ruff-check "$venv/ruff" check --quiet .
check ruff-format "$venv/ruff" format --check --quiet .
check mypy "$venv/mypy"
check clang-tidy "$venv/python" tools/clang_tidy.py build/dev

if [[ ${#failed[@]} -ne 0 ]]; then
  echo "lint: failed: ${failed[*]}; \`make format\` mends formatting" >&2
  exit 1
fi
