#!/usr/bin/env bash
# Installs what a task needs and this machine lacks, saying so first. Does nothing where all is there.
#
#   tools/setup.sh build|test|lint|fuzz|ci
#
# Debian packages come through apt-get, with sudo where the caller is not root. Python packages go into a virtual
# environment below ${XDG_CACHE_HOME:-~/.cache}/gauge, keyed by its requirements and its interpreter, and linked as
# build/venv/<task>: no system or user site-packages are touched. PYTHON chooses the interpreter (default: python3).
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/gauge
packages=()
requirements=()

say() { printf 'gauge: set-up: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# need PACKAGE [COMMAND]: a package that is not installed, unless its command is there from elsewhere.
need() {
  if [[ $# -gt 1 ]] && command -v "$2" >/dev/null; then return; fi
  packages+=("$1")
}

need_for_build() {
  need g++ c++
  need cmake cmake
  need ninja-build ninja
  need libcli11-dev
  need libfmt-dev
  need libprotozero-dev
  need libtomlplusplus-dev
  need libzstd-dev
  need rapidjson-dev
  need zlib1g-dev
  requirements+=(tools/build-requirements.txt)
}

need_for_test() {
  need_for_build
  command -v google-chrome >/dev/null || need chromium chromium
  need dbus dbus-run-session
  need fonts-dejavu-core
  need golang-go go
  need libdevel-nytprof-perl flamegraph.pl
  need libgmock-dev
  need libgtest-dev
  need jq jq
  need kcachegrind kcachegrind
  need libprotobuf-dev
  need nlohmann-json3-dev
  need protobuf-compiler protoc
  need valgrind callgrind_annotate
  need zstd zstd
  requirements+=(tests/python/requirements.txt)
  # The Firefox Profiler's reader wants a newer node than distributions have. The wheel carries npm, too, for machines
  # without, as Debian's draws in 350 packages.
  requirements+=(tests/consumers/requirements.txt)
}

need_for_lint() {
  need_for_test  # clang-tidy reads the compile commands of the whole tree
  requirements+=(tools/lint-requirements.txt)
}

need_for_fuzz() {
  need_for_test
  # By number: Debian 12's own, 14, fails on what libstdc++ 12 makes of ranges.
  need clang-19 clang-19
  need libclang-rt-19-dev
  need llvm-19 llvm-symbolizer-19
}

need_for_ci() {
  need_for_lint
  need ccache ccache
}

choose_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      # Through a shim or a virtual environment to the interpreter itself: a recorder is built for that one.
      python=$("$candidate" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')
      return
    fi
  done
  fail "no Python 3.10 or later found (tried: ${PYTHON:-python3 and others}); install python3 or set PYTHON"
}

# What Debian splits off its own Python. Others, such as pyenv's, come whole.
need_for_python() {
  "$python" -c 'import ensurepip' 2>/dev/null || need python3-venv
  "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || need python3-dev
}

keep_missing_packages() {
  local wanted=("${packages[@]}") installed package
  packages=()
  [[ ${#wanted[@]} -eq 0 ]] && return
  # One call for all: dpkg-query is slow to start. It fails when some are unknown; the others are printed all the same.
  installed=" $(dpkg-query -W -f='${db:Status-Status}/${Package} ' "${wanted[@]}" 2>/dev/null || true)"
  for package in "${wanted[@]}"; do
    [[ $installed == *" installed/$package "* ]] || packages+=("$package")
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    say "this machine has no apt-get; make sure that it has the equivalents of: ${packages[*]}"
    return
  fi
  keep_missing_packages
  [[ ${#packages[@]} -eq 0 ]] && return
  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      fail "these packages are missing and root is needed to install them; run as root, then try again:" \
        "apt-get install --no-install-recommends ${packages[*]}"
    fi
    as_root=(sudo)
  fi
  say "missing Debian packages: ${packages[*]}"
  say "installing them now: ${as_root[*]:+sudo }apt-get install --no-install-recommends ${packages[*]}"
  local log=$cache/apt.log
  mkdir -p "$cache"
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  if ! { "${as_root[@]}" apt-get -q update &&
    "${as_root[@]}" apt-get -qy install --no-install-recommends "${packages[@]}"; } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get failed (whole log: $log); install the packages by hand, then try again"
  fi
}

install_requirements() {
  local key venv
  key=$({ "$python" -VV; echo "$python"; cat "${requirements[@]}"; } | sha256sum | cut -c1-16)
  venv=$cache/venv-$key
  mkdir -p "$cache" build/venv
  exec 9>"$cache/lock"
  flock 9
  if [[ ! -e $venv/complete ]]; then
    say "missing Python packages: $(grep -hv '^#' "${requirements[@]}" | tr '\n' ' ')"
    say "installing them now with pip into $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    if ! "$venv/bin/python" -m pip --disable-pip-version-check --quiet install \
      "${requirements[@]/#/--requirement=}" >&2; then
      fail "pip failed; see above, then try again"
    fi
    touch "$venv/complete"
  fi
  flock -u 9
  ln -sfn "$venv" "build/venv/$task"
}

task=${1:-}
case $task in
  build | test | lint | fuzz | ci) "need_for_$task" ;;
  *) fail "unknown task '$task'; say one of: build, test, lint, fuzz, ci" ;;
esac
choose_python
need_for_python
install_packages
install_requirements
