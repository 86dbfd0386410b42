#!/usr/bin/env bash
# The honest check of the README: both commands, cold and warm, in a Debian 12 that has only what the README asks for.
#
#   tests/fresh-root.sh FOLDER [BASE]
#
# FOLDER must not exist: a minimal Debian is made in it (debootstrap, or a copy of BASE, a minbase root made before), the
# committed HEAD is cloned into it, and the commands run in a chroot. Needs root; leaves FOLDER for inspection, and no
# mounts. Package archives, registries, certificates and name servers are those the host is set up with.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)

if [[ $# -lt 1 || $# -gt 2 ]]; then
  echo "usage: tests/fresh-root.sh FOLDER [BASE]" >&2
  exit 1
fi
if [[ -z ${GAUGE_FRESH_ROOT_INSIDE:-} ]]; then
  # A mount namespace of our own: whatever happens, the mounts below go when this script does.
  GAUGE_FRESH_ROOT_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
root=$1
if [[ -e $root ]]; then
  echo "gauge: $root: exists already; name a folder that does not" >&2
  exit 1
fi

make_root() {
  if [[ $# -eq 1 ]]; then cp -a "$1" "$root"; else debootstrap --variant=minbase bookworm "$root"; fi
  # What tells this machine where its packages come from. Only archives of this very release.
  if grep -qs bookworm /etc/apt/sources.list /etc/apt/sources.list.d/*; then
    cp -a /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || rm -f "$root/etc/apt/sources.list"
    cp -a /etc/apt/sources.list.d/*.{list,sources} "$root/etc/apt/sources.list.d/" 2>/dev/null || true
  fi
  cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  mkdir -p "$root/usr/local/share/ca-certificates"
  cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
  if [[ -f /etc/pip.conf ]]; then cp /etc/pip.conf "$root/etc/pip.conf"; fi
}

mount_kernel_folders() {
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/tmp"
}

# Nothing of the caller's environment but what names package sources and proxies.
environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8)
while IFS= read -r variable; do environment+=("$variable"); done < <(
  env | grep -iE '^(PIP_(INDEX_URL|EXTRA_INDEX_URL|CERT|DEFAULT_TIMEOUT)|NPM_CONFIG_REGISTRY|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|https?_proxy|no_proxy|CI)=' || true
)
if command -v npm >/dev/null && ! env | grep -qi '^npm_config_registry='; then
  environment+=("npm_config_registry=$(npm config get registry)")
fi
inside() { env -i "${environment[@]}" chroot "$root" "$@"; }

# Seconds of CPU time of all that has been run so far, into `cpu`. (In a subshell `times` would know nothing.)
look_at_cpu_time() {
  times >"$root/times"
  cpu=$(awk 'NR == 2 { split($0, part, "[ms ]+"); print int(60 * (part[1] + part[3]) + part[2] + part[4]) }' "$root/times")
}

status=0
timings=()
timed() {
  local name=$1 cpu before
  shift
  printf '\n== %s\n' "$name"
  look_at_cpu_time
  before=$cpu
  SECONDS=0
  local outcome=ok
  "$@" </dev/null || outcome=FAILED
  look_at_cpu_time
  timings+=("$(printf '%-12s %-6s %5d s, %5d s of CPU time' "$name" "$outcome" "$SECONDS" "$((cpu - before))")")
  [[ $outcome == ok ]] || status=1
}

make_root "${@:2}"
mount_kernel_folders
inside apt-get -q update
inside env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends ca-certificates g++ git make python3
inside update-ca-certificates
git clone --quiet --no-local "$repository" "$root/srv/gauge"

# shellcheck disable=SC2329  # `timed` calls it
in_clone() { inside make -C /srv/gauge "$@"; }
timed "demo, cold" in_clone demo
timed "test, cold" in_clone test
timed "demo, warm" in_clone demo
timed "test, warm" in_clone test
if [[ -n ${GAUGE_FRESH_ROOT_CI:-} ]]; then timed ".ci/run" inside env CI=true /srv/gauge/.ci/run; fi

printf '\n== in %s\n' "$root"
printf '%s\n' "${timings[@]}"
exit "$status"
