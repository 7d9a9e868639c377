# shellcheck shell=bash
# Shared by the scripts: where things are kept, how progress and errors are shown, and how things are installed.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${SLIPWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway} # survives a clean clone
LOGS=$CACHE/log
mkdir -p "$LOGS" "$CACHE/stamps"

# Go fetches the toolchain that go.mod names, also where the machine's own setting ('go env GOTOOLCHAIN') is its own Go.
export GOTOOLCHAIN=${GOTOOLCHAIN:-auto}

# A script that another one calls goes on counting the seconds of that one.
export SLIPWAY_STARTED=${SLIPWAY_STARTED:-$(date +%s)}
SECONDS=$(($(date +%s) - SLIPWAY_STARTED))

say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# on_exit, the trap of every script here, ends RUNNING, the processes in the background, which would outlive a Ctrl-C, and
# does what the script itself has put into ON_EXIT.
RUNNING=() ON_EXIT=
on_exit() {
  [ ${#RUNNING[@]} = 0 ] || kill "${RUNNING[@]}" 2>/dev/null || true
  [ "$BASHPID" != $$ ] || eval "$ON_EXIT" # a subshell has the variable, too
}

# run LOG WHAT COMMAND…: a long, silent command. Its output goes to a log; every 20 s a line shows that it is still at
# work, how far it is and its last line. If it fails, the end of the log is shown.
run() {
  local log=$LOGS/$1.log what=$2 pid ticker status=0
  shift 2
  say "$what …"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  heartbeat "$what" "$log" &
  ticker=$!
  RUNNING=("$pid" "$ticker")
  trap on_exit EXIT
  wait "$pid" || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  RUNNING=()
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
    say "  $1: $((SECONDS - since)) s,$(packages "$2") at $(tail -n 1 "$2" | tr -d '\r' | cut -c 1-80)"
  done
}

# packages LOG: how far a go build has come, if its log is one (in a docker build, too). It says how many packages there
# are and then names each that it compiles; those in Go's cache it skips.
packages() {
  local all
  all=$(grep -oE '(^| )packages: [0-9]+$' "$1" | tail -n 1)
  [ -z "$all" ] || echo " $(grep -cE '^(#[0-9]+ [0-9.]+ )?[a-z0-9.-]+(/[^ ]*)?$' "$1") of at most ${all##* } packages,"
}

# in_parallel COMMAND-LINE…: runs them at the same time. When one fails, the others are ended.
in_parallel() {
  local line
  trap on_exit EXIT
  for line; do
    # shellcheck disable=SC2086 # a command and its arguments
    $line &
    RUNNING+=($!)
  done
  for line; do wait -n || exit; done
  RUNNING=()
}

# part WHAT COMMAND…: one part of a long test. The time that each part took is shown as a table when the script ends.
PARTS=()
part() {
  PART=$1 PART_SINCE=$SECONDS
  shift
  ON_EXIT=parts_table
  trap on_exit EXIT
  say "== $PART"
  "$@"
  PARTS+=("$(printf '%6d s  %s' $((SECONDS - PART_SINCE)) "$PART")")
  PART=
}

parts_table() {
  [ -z "$PART" ] || PARTS+=("$(printf '%6d s  %s  FAILED' $((SECONDS - PART_SINCE)) "$PART")")
  printf '%s\n' "" "${PARTS[@]}" "$(printf '%6d s  in all' "$SECONDS")" >&2
}

# locked NAME COMMAND…: one at a time on this machine. The command itself does not hold the lock: what it starts may
# outlive it.
locked() {
  local name=$1 fd
  shift
  exec {fd}>"$CACHE/$name.lock"
  flock -n "$fd" || {
    say "waiting for another process that holds $CACHE/$name.lock …"
    flock "$fd"
  }
  eval '"$@"' "$fd>&-"
  exec {fd}>&-
}

# fingerprint FILE-OR-FOLDER…: one hash of all their names and contents (paths are under scripts/), and of what comes in on stdin.
fingerprint() {
  { cat; cd "$ROOT/scripts" && find "$@" -type f -print0 | sort -z | xargs -0 sha256sum; uname -m; } | sha256sum | cut -c 1-16
}

# A stage is done when its stamp holds the fingerprint of the inputs that it was made from.
stamped() { [ "$(cat "$CACHE/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { echo "$2" >"$CACHE/stamps/$1"; }

# app_version: the version of the charts' images
app_version() {
  local version
  version=$(sed -n 's/^appVersion: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$ROOT/charts/model-server/Chart.yaml")
  [ -n "$version" ] || die "charts/model-server/Chart.yaml names no appVersion; give it one"
  echo "$version"
}

# pull IMAGE: it is in Docker, or can be pulled. A registry that sends nothing within 15 s is not asked again in this run.
pull() {
  local log=$LOGS/pull.log pid i
  docker image inspect "$1" >/dev/null 2>&1 && return
  [ -z "${NO_REGISTRY:-}" ] || return 1
  say "pulling $1 …"
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
  say "it can't be pulled: $(tail -n 1 "$log" | cut -c 1-120)"
  export NO_REGISTRY=1
  return 1
}

# have_image IMAGE: it is in Docker, else it is pulled, else scripts/offline makes it, which also keeps current what it made.
have_image() {
  local made_of
  if made_of=$(docker image inspect -f '{{index .Config.Labels "slipway.offline"}}' "$1" 2>/dev/null); then
    [ -n "$made_of" ] || return 0
  elif pull "$1"; then
    return
  fi
  "$ROOT/scripts/offline/image" "$1"
}

# base_images: the images that the Dockerfile starts from, each a line ARGUMENT IMAGE
base_images() { sed -n 's/^ARG \([A-Z]*_BASE\)=\(.*\)$/\1 \2/p' "$ROOT/Dockerfile"; }

# made_here IMAGE: Docker has it, and scripts/offline made it
made_here() { [ -n "$(docker image inspect -f '{{index .Config.Labels "slipway.offline"}}' "$1" 2>/dev/null)" ]; }

# docker_build LOG WHAT ARGUMENT…: docker build, with BuildKit. The first client on the PATH may be unable to: since
# version 23 it takes a plug-in, buildx, that is not always there; before, BuildKit was part of the client.
docker_build() {
  local log=$1 what=$2 client version
  shift 2
  while read -r client; do
    version=$("$client" version -f '{{.Client.Version}}' 2>/dev/null) || true
    if "$client" buildx version >/dev/null 2>&1 || [ "${version%%.*}" -lt 23 ] 2>/dev/null; then
      run "$log" "$what" env DOCKER_BUILDKIT=1 BUILDKIT_PROGRESS=plain "$client" build "$@"
      return
    fi
  done < <(type -ap docker; echo /usr/bin/docker)
  die "this Docker client can't use BuildKit; install its buildx plug-in, see https://docs.docker.com/go/buildx/"
}

# go_build LOG WHAT FOLDER OUTPUT LDFLAGS PACKAGE…: go build, of which `run` can tell how far it is
go_build() {
  command -v go >/dev/null || die "Go is needed for $2: install Go 1.26 or later, see https://go.dev/doc/install"
  run "$1" "$2" counted_build "${@:3}"
}

# counted_build FOLDER OUTPUT LDFLAGS PACKAGE…, which is a process of its own
counted_build() {
  echo "packages: $(go list -C "$1" -deps "${@:4}" | wc -l)"
  exec nice go build -C "$1" -v -trimpath -ldflags "-s -w $3" -o "$2" "${@:4}"
}

# cluster_flags sets how Go compiles scripts/offline; who builds from there with these flags shares its packages.
cluster_flags() {
  export CGO_ENABLED=0 GOFLAGS
  # Nobody debugs them: without DWARF the compiler has less to do.
  GOFLAGS="$(go env GOFLAGS) -gcflags=all=-dwarf=false"
}

# kubernetes_flags VERSION: what Kubernetes' own build stamps into its programs; kubeadm refuses to work without.
kubernetes_flags() {
  local package minor=${1#v1.}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s=%s ' "$package.gitVersion" "$1" "$package.gitMajor" 1 "$package.gitMinor" "${minor%%.*}" \
      "$package.gitTreeState" clean "$package.gitCommit" 0 "$package.buildDate" 1970-01-01T00:00:00Z
  done
}

# npm_package NAME@VERSION SHA512: fetches the package's tarball into the cache, unless it is there, and sets TARBALL.
# The hash is what npm itself writes: base64.
npm_package() {
  local name download
  name=${1#@}
  name=${name//[@\/]/-}.tgz
  TARBALL=$CACHE/$name
  if [ -f "$TARBALL" ] && has_sha512 "$TARBALL" "$2"; then
    return
  fi
  command -v npm >/dev/null ||
    die "npm is needed to fetch $1 and was not found: install Node.js 20 or newer, or put $name into $CACHE"
  say "fetching $1 with npm …"
  # From an empty folder, so that no package.json or .npmrc of a caller is read.
  download=$(mktemp -d "$CACHE/.npm-XXXXXX")
  (cd "$download" && npm pack --loglevel=error "$1" >/dev/null) || {
    rm -rf "$download"
    die "npm could not fetch $1: see its message above, check the network and 'npm config get registry', and run this again"
  }
  has_sha512 "$download/$name" "$2" || {
    rm -rf "$download"
    die "the $name that npm fetched is not the published one (its SHA-512 differs): check 'npm config get registry' and run this again"
  }
  mv -f "$download/$name" "$TARBALL"
  rm -rf "$download"
}

has_sha512() { # FILE SHA512
  local sum
  sum=$(base64 -d <<<"$2" | od -An -v -tx1 | tr -d ' \n') # sha512sum reads hex
  sha512sum --check --status <<<"$sum  $1"
}

# pypi_wheel NAME-VERSION TAG SHA256: fetches a package's wheel into the cache, unless it is there, and sets WHEEL, and
# PYTHON to what can read it. The tag is that of the wheel's name: PYTHON-ABI-PLATFORM.
pypi_wheel() {
  local name=$1-$2.whl download python abi platform
  PYTHON=${PYTHON:-python3}
  command -v "$PYTHON" >/dev/null || die "Python is needed for $1 and was not found: install Python 3.11 or newer, or name one in PYTHON"
  WHEEL=$CACHE/$name
  ! has_sha256 "$WHEEL" "$3" || return 0
  say "fetching $1 with pip …"
  IFS=- read -r python abi platform <<<"$2"
  download=$(mktemp -d "$CACHE/.pip-XXXXXX")
  "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --implementation "${python%%[0-9]*}" \
    --python-version "${python#cp}" --abi "$abi" --platform "$platform" --dest "$download" "${1%-*}==${1##*-}" >&2 || {
    rm -rf "$download"
    die "pip could not fetch $1: see its message above, check the network and 'pip config list' (Debian has pip in python3-pip), and run this again; or put $name into $CACHE"
  }
  has_sha256 "$download/$name" "$3" || {
    rm -rf "$download"
    die "the $name that pip fetched is not the published one (its SHA-256 differs): check 'pip config list' and run this again"
  }
  mv -f "$download/$name" "$WHEEL"
  rm -rf "$download"
}

has_sha256() { # FILE SHA256
  [ -f "$1" ] && sha256sum --check --status <<<"$2  $1"
}

# python_packages FOLDER LIST [ARGUMENT OF pip install…]: a virtual environment with the packages of a list, each with its
# hash, made anew when the list changes
python_packages() {
  local folder=$1 list=$2 python=${PYTHON:-python3}
  shift 2
  ! cmp -s "$list" "$folder/.requirements" || return 0
  "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    die "Python 3.11 or newer with its venv module is needed: install it (Debian: apt-get install python3-venv), or name one in PYTHON"
  "$python" -m venv --clear "$folder"
  run "pip-${folder##*/}" "installing the Python packages of ${list#"$ROOT/"}" \
    "$folder/bin/pip" install --disable-pip-version-check --require-hashes "$@" -r "$list"
  cp "$list" "$folder/.requirements"
}

# install_packages NAME…: from the system's package manager, those that are missing
install_packages() {
  local missing=() p
  for p; do dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install ${missing[*]} and start again"
  [ "$(id -u)" = 0 ] || die "please run: sudo apt-get install ${missing[*]}"
  locked packages apt_install "${missing[@]}"
}

apt_install() { # NAME…
  # Without systemd, RUNLEVEL=1 keeps the packages from starting their services: that is for the scripts to do.
  local env=(DEBIAN_FRONTEND=noninteractive)
  [ -d /run/systemd/system ] || env+=(RUNLEVEL=1)
  run apt-update "reading the package lists" apt-get update
  run apt-install "installing $*" env "${env[@]}" apt-get install -y --no-install-recommends "$@"
}
