# shellcheck shell=bash
# Shared by the scripts: where things are kept, and how progress is shown.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HERE=$ROOT/scripts/kind
CACHE=${SLIPWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway} # survives a clean clone
LOGS=$CACHE/log
mkdir -p "$LOGS" "$CACHE/stamps"

say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# run LOG WHAT COMMAND…: a long, silent command. Its output goes to a log; every 20 s a line says that it's still at work
# and what it last wrote; when it fails, the end of the log is shown.
run() {
  local log=$LOGS/$1.log what=$2 pid ticker status=0
  shift 2
  say "$what …"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  heartbeat "$what" "$log" &
  ticker=$!
  # Both would outlive a Ctrl-C, which background processes don't get.
  # shellcheck disable=SC2064 # these very processes
  trap "kill $pid $ticker 2>/dev/null || true" EXIT
  wait "$pid" || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  trap - EXIT
  [ "$status" = 0 ] && return
  tail -n 25 "$log" >&2
  die "$what failed; the whole log is $log"
}

heartbeat() { # WHAT LOG
  local since=$SECONDS nap=
  trap 'kill $nap 2>/dev/null; exit 0' TERM
  while true; do
    sleep 20 &
    nap=$!
    wait $nap
    say "  $1: $((SECONDS - since)) s, at $(tail -n 1 "$2" | tr -d '\r' | cut -c 1-80)"
  done
}

# fingerprint FILE-OR-FOLDER…: one hash of all their names and contents, and of what comes in on stdin.
fingerprint() {
  { cat; cd "$HERE" && find "$@" -type f -print0 | sort -z | xargs -0 sha256sum; uname -m; } | sha256sum | cut -c 1-16
}

# A stage is done when its stamp holds the fingerprint of the inputs that it was made from.
stamped() { [ "$(cat "$CACHE/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { echo "$2" >"$CACHE/stamps/$1"; }

# pull IMAGE: is it here, or can it be had? A registry that has nothing to say within 15 s isn't asked again in this run.
pull() {
  local log=$LOGS/pull.log pid i
  docker image inspect "$1" >/dev/null 2>&1 && return
  [ -z "${NO_REGISTRY:-}" ] || return 1
  docker pull "$1" >"$log" 2>&1 </dev/null &
  pid=$!
  for ((i = 0; i < 75; i++)); do
    sleep 0.2
    # From here on the registry is sending, and however long it takes is fine.
    if grep -q 'Pulling from' "$log" || ! kill -0 "$pid" 2>/dev/null; then
      wait "$pid" && return
      break
    fi
  done
  kill "$pid" 2>/dev/null || true
  NO_REGISTRY=1
  return 1
}

# install_packages NAME…: from the system's package manager, those that are missing.
install_packages() {
  local missing=() p
  for p; do dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install ${missing[*]} and start again"
  [ "$(id -u)" = 0 ] || die "please run: sudo apt-get install ${missing[*]}"
  # Without systemd, RUNLEVEL=1 keeps the packages from starting their services: that is for the scripts to do.
  local env=(DEBIAN_FRONTEND=noninteractive)
  [ -d /run/systemd/system ] || env+=(RUNLEVEL=1)
  run apt-update "reading the package lists" apt-get update
  run apt-install "installing ${missing[*]}" env "${env[@]}" apt-get install -y --no-install-recommends "${missing[@]}"
}
