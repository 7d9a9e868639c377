# shellcheck shell=bash
# The node image: kind's base image with what kind's own node image holds, and images of single programs.

# node_image NAME
node_image() {
  local key
  key=$(echo "$DEBIAN_PACKAGES" | fingerprint offline)
  ! made_of "$1" "$key" || return 0
  say "making the node image: programs, Debian packages, and then the image of both"
  build_cluster
  rootfs
  base_folder bookworm
  run node-image "assembling the node image" assemble "$1" "$key"
}

# assemble NAME KEY: puts images into a container of the root file system, and commits that; to be run by `run`
assemble() {
  images=()
  for name in kube-apiserver kube-controller-manager kube-scheduler; do image "registry.k8s.io/$name:$K8S" $name; done
  image "registry.k8s.io/kube-proxy:$K8S" kube-proxy -C "$NETTOOLS" .
  required=$("$PROGRAMS/kubeadm" config images list --kubernetes-version "$K8S" 2>/dev/null)
  image "$(grep coredns <<<"$required")" coredns
  image "$(grep etcd <<<"$required")" etcd
  image "$(sed -n 's/.*sandbox_image = "\(.*\)"/\1/p' "$ROOTFS/etc/containerd/config.toml")" pause
  image kind.local/nettools:1 pause -C "$NETTOOLS" .
  image "$(storage_image local-path-provisioner:)" local-path-provisioner
  image "$(storage_image local-path-helper:)" pause -C "$NETTOOLS" .

  echo "importing the root file system"
  tar -C "$ROOTFS" --numeric-owner -c . -C "$PROGRAMS" --transform 's,^kube[a-z]*$,usr/bin/&,' kubeadm kubelet kubectl |
    docker import -c 'ENV container=docker' - slipway-node:base
  docker rm -fv slipway-node-build >/dev/null 2>&1 || true
  docker run -d --name slipway-node-build --privileged --network none --stop-signal SIGRTMIN+3 --entrypoint sleep slipway-node:base infinity
  docker exec slipway-node-build bash -c "echo $K8S >/kind/version; nohup containerd >/dev/null 2>&1 &
    for i in {1..50}; do ctr version >/dev/null 2>&1 && exit; sleep .2; done; exit 1"
  echo "loading ${#images[@]} images into it"
  docker save "${images[@]}" | docker exec -i slipway-node-build ctr -n k8s.io images import --all-platforms --no-unpack -
  # Pinned, so that the kubelet never throws them away.
  docker exec slipway-node-build bash -c 'ctr -n k8s.io images ls -q | xargs -I{} ctr -n k8s.io images label {} io.cri-containerd.pinned=pinned
    pkill -x containerd; sleep 1'
  docker commit -c 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' -c "LABEL slipway.offline=$2" slipway-node-build "$1"
  docker rm -fv slipway-node-build

  # What went into it is not needed any more.
  docker rmi "${images[@]}" slipway-node:base >/dev/null
  docker image prune -f >/dev/null
}

# program_image NAME PROGRAM COMMAND: the image of one program that the command builds
program_image() {
  local key
  key=$(fingerprint offline/go.{mod,sum} offline/{traefik,programs.sh,node-image.sh} </dev/null)
  ! made_of "$1" "$key" || return 0
  "$3"
  base_folder bookworm
  images=()
  run "image-$2" "making the image $1" image "$1" "$2" LABEL "slipway.offline=$key"
}

# image NAME PROGRAM [LABEL VALUE] [-C FOLDER FILE…]: an image of one program, and of what else tar is to take
image() {
  echo "image $1"
  local name=$1 program=$2 label=()
  shift 2
  if [ "${1:-}" = LABEL ]; then
    label=(-c "LABEL $2")
    shift 2
  fi
  tar --numeric-owner --owner=0 --group=0 --transform "s,^$program\$,usr/local/bin/$program," -c \
    -C "$DEBIAN" etc/passwd etc/group etc/ssl/certs/ca-certificates.crt tmp "$@" -C "$PROGRAMS" "$program" |
    docker import -c 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin' -c "ENTRYPOINT [\"/usr/local/bin/$program\"]" \
      "${label[@]}" - "$name"
  images+=("$name")
}

storage_image() { grep -o "[^ ]*$1[^ ]*" "$ROOTFS/kind/manifests/default-storage.yaml" | head -n 1; }

# made_of NAME KEY: the image was made here, of these very sources
made_of() { [ "$(docker image inspect -f '{{index .Config.Labels "slipway.offline"}}' "$1" 2>/dev/null)" = "$2" ]; }
