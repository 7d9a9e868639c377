# shellcheck shell=bash
# The programs that a node is made of, from Go modules: pinned in the go.mod files beside this.

K8S=v1.34.4
BIN=$CACHE/kind/bin

# build STAGE WHAT FOLDER LDFLAGS PACKAGE…: the programs of one module
build() {
  local stage=$1 what=$2 folder=$3 ldflags="-s -w $4" key
  shift 4
  key=$(echo "$ldflags $*" | fingerprint "$folder"/go.{mod,sum} coredns pause)
  ! stamped "$stage" "$key" || return 0
  command -v go >/dev/null || die "Go is needed to build $what: install Go 1.26 or later, see https://go.dev/doc/install"
  mkdir -p "$BIN"
  run "build-$stage" "building $what" env CGO_ENABLED=0 nice go build -C "$HERE/$folder" -v -trimpath -ldflags "$ldflags" -o "$BIN/" "$@"
  stamp "$stage" "$key"
}

build_kind() { build kind kind . "" sigs.k8s.io/kind; }

build_kubectl() { build kubectl kubectl . "$(kubernetes_version)" k8s.io/kubernetes/cmd/kubectl; }

# One go build for all of Kubernetes, etcd and CoreDNS: what they share is compiled once.
build_node() {
  build kubernetes "Kubernetes $K8S (7 minutes on 2 cores)" . "$(kubernetes_version)" ./coredns ./pause tool
  [ ! -e "$BIN/server" ] || mv "$BIN/server" "$BIN/etcd" # Go names it after its folder
  build metrics-server metrics-server metrics-server "" tool
  build local-path-provisioner local-path-provisioner local-path-provisioner "" tool
  build traefik "Traefik (3 minutes on 2 cores)" traefik "" tool
}

# What Kubernetes' own build would stamp into the programs; kubeadm refuses to work without.
kubernetes_version() {
  local package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s=%s ' "$package.gitVersion" $K8S "$package.gitMajor" 1 "$package.gitMinor" 34 \
      "$package.gitTreeState" clean "$package.gitCommit" 0 "$package.buildDate" 1970-01-01T00:00:00Z
  done
}

# kind_module: the folder of kind's source, which holds the files of its base image and its storage manifest
kind_module() { (cd "$HERE" && go mod download sigs.k8s.io/kind && go list -m -f '{{.Dir}}' sigs.k8s.io/kind); }
