#!/usr/bin/env bash
# Installs the readers of our output formats that come from npm, cargo and Go, saying so first. Does nothing where they
# are there.
#
# They go below ${XDG_CACHE_HOME:-~/.cache}/gauge, keyed by what is asked for, and are linked as build/consumers,
# build/inferno, build/pprof and build/collector. Those that are Debian packages (chromium, callgrind_annotate,
# kcachegrind), and npm, come with tools/setup.sh test.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'gauge: set-up: %s\n' "$*" >&2; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/gauge
folder=$cache/consumers-$(sha256sum <tests/consumers/package.json | cut -c1-16)
mkdir -p "$cache" build
exec 9>"$cache/consumers.lock"
flock 9
if [[ ! -e $folder/complete ]]; then
  if ! command -v npm >/dev/null; then
    say "npm is missing; run tools/setup.sh test, and have build/venv/test/bin on PATH"
    exit 1
  fi
  say "missing npm packages: $(sed -nE 's/^    "(.*)": "(.*)",?$/\1@\2/p' tests/consumers/package.json | tr '\n' ' ')"
  say "installing them now with npm into $folder"
  rm -rf "$folder"
  mkdir -p "$folder"
  cp tests/consumers/package.json "$folder"
  if ! npm install --prefix "$folder" --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error >&2; then
    say "npm failed; see above, then try again"
    exit 1
  fi
  touch "$folder/complete"
fi
ln -sfn "$folder" build/consumers

# Go brings pprof with it, ready-made up to 1.23 and to be built since, for which no test should wait.
if [[ -x $(go env GOTOOLDIR 2>/dev/null)/pprof ]]; then
  ln -sfn "$(go env GOTOOLDIR)" build/pprof
elif command -v go >/dev/null; then
  pprof=$cache/pprof-$(go env GOVERSION)
  if [[ ! -x $pprof/pprof ]]; then
    say "missing: pprof; building it now with go into $pprof"
    go build -o "$pprof/pprof" cmd/pprof || { say "go failed; see above, then try again"; exit 1; }
  fi
  ln -sfn "$pprof" build/pprof
fi

# OpenTelemetry's Collector, built in some minutes of its official parts. A Go that is older than go.mod asks for fetches
# a newer one by itself, but only from 1.21 on: with Debian 12's, nothing but the definitions reads our OTLP files.
source=tests/consumers/collector
collector=$cache/collector-$(cat "$source"/{go.mod,go.sum,main.go} | sha256sum | cut -c1-16)
if [[ ! -x $collector/collector && $(go env GOVERSION 2>/dev/null) =~ ^go1\.(2[1-9]|[3-9][0-9]) ]]; then
  say "missing: the OpenTelemetry Collector; building it now with go into $collector"
  if ! (cd "$source" && go build -buildvcs=false -trimpath -ldflags='-s -w' -o "$collector/collector" .) >&2; then
    say "go failed; see above. The tests go on without the Collector"
  fi
fi
if [[ -x $collector/collector ]]; then ln -sfn "$collector" build/collector; else rm -f build/collector; fi

# Built, not fetched, in a minute or two: only where there is a cargo. Debian 12's is too old for it; what it reads is
# read by flamegraph.pl as well.
inferno=$cache/inferno-0.12.6
if [[ ! -e $inferno/bin/inferno-flamegraph ]] && command -v cargo >/dev/null; then
  say "missing: inferno-flamegraph; building it now with cargo into $inferno"
  if ! cargo install inferno --version 0.12.6 --locked --no-default-features --features cli \
    --bin inferno-flamegraph --root "$inferno" --quiet >&2; then
    say "cargo failed; see above. The tests go on without inferno-flamegraph"
  fi
fi
if [[ -e $inferno/bin/inferno-flamegraph ]]; then ln -sfn "$inferno" build/inferno; fi
