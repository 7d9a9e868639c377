# shellcheck shell=bash
# The programs of a cluster, from Go modules: one set of versions (go.mod beside this), so that what they share is
# compiled once.

OFFLINE=$ROOT/scripts/offline
PROGRAMS=$CACHE/offline/bin
TRAEFIK=$CACHE/offline/traefik

K8S=$(go -C "$OFFLINE" list -m -f '{{.Version}}' k8s.io/kubernetes 2>/dev/null || true)

# build_cluster: what the nodes run, and the Ingress controller, in one go build
build_cluster() {
  traefik_source
  build cluster "Kubernetes $K8S, etcd, CoreDNS and Traefik" ./coredns ./pause ./traefik go.etcd.io/etcd/server/v3 \
    k8s.io/kubernetes/cmd/kube{-apiserver,-controller-manager,-proxy,-scheduler,adm,ctl,let}
  [ ! -e "$PROGRAMS/server" ] || mv "$PROGRAMS/server" "$PROGRAMS/etcd" # Go names it after its folder
  # By itself, because it spells a package with a capital that the others spell without; 7 packages are its own.
  build storage local-path-provisioner github.com/rancher/local-path-provisioner
}

build_metrics_server() {
  traefik_source
  build metrics-server metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server
}

# build STAGE WHAT PACKAGE…
build() {
  local stage=$1 what=$2 key ldflags
  shift 2
  local -x CGO_ENABLED GOFLAGS
  cluster_flags
  GOFLAGS+=" -modfile=$CACHE/offline/go.mod"
  ldflags=$(kubernetes_flags "$K8S")
  key=$(echo "$GOFLAGS $ldflags $*" | fingerprint offline/go.{mod,sum} offline/{coredns,pause,traefik})
  ! stamped "offline-$stage" "$key" || return 0
  mkdir -p "$PROGRAMS"
  go_build "build-$stage" "building $what" "$OFFLINE" "$PROGRAMS/" "$ldflags" "$@"
  stamp "offline-$stage" "$key"
}

# traefik_source: Traefik's module without the providers, plug-ins and metrics that a cluster of tests never uses. Their
# libraries would be two thirds of its build. A replacement is a folder, hence a go.mod of its own, in the cache.
traefik_source() {
  local key module=github.com/traefik/traefik/v3 source
  key=$(fingerprint offline/go.{mod,sum} offline/traefik offline/programs.sh </dev/null)
  ! stamped offline-traefik "$key" || return 0
  rm -rf "$TRAEFIK"
  mkdir -p "$CACHE/offline"
  source=$(go -C "$OFFLINE" mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [ -n "$source" ] || die "Go can't fetch $module; check the network and 'go env GOPROXY', and run this again"
  cp -r --no-preserve=mode "$source" "$TRAEFIK"
  rm "$TRAEFIK"/pkg/metrics/{datadog,influxdb2,statsd}.go
  (cd "$TRAEFIK" && GIT_CEILING_DIRECTORIES=$CACHE/offline git apply "$OFFLINE/traefik/providers.patch")
  cp "$OFFLINE"/go.{mod,sum} "$CACHE/offline/"
  go mod edit -replace "$module=$TRAEFIK" "$CACHE/offline/go.mod"
  stamp offline-traefik "$key"
}

# kind_module: the folder of kind's source, which holds the files of its base image and its storage manifest
kind_module() { (cd "$OFFLINE" && go mod download sigs.k8s.io/kind && go list -m -f '{{.Dir}}' sigs.k8s.io/kind); }
