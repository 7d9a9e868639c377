# shellcheck shell=bash
# The node image: kind's published one where it can be pulled, else one of our own that holds every image the cluster needs.

# node_image: sets NODE_IMAGE, and NODE_IS_OURS when it was made here
node_image() {
  local published
  NODE_IS_OURS=
  NODE_IMAGE=slipway-node:$K8S-$(echo "$PACKAGES $(kubernetes_version)" |
    fingerprint node-image.sh rootfs.sh manifests/cni.yaml go.{mod,sum} coredns pause traefik metrics-server local-path-provisioner)
  if ! docker image inspect "$NODE_IMAGE" >/dev/null 2>&1; then
    # kind v0.30.0's own choice for Kubernetes 1.34
    published=kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a
    if pull $published; then
      NODE_IMAGE=$published
      return
    fi
    say "the published node image can't be pulled: making one from Go modules and Debian packages"
    build_node
    rootfs
    run node-image "assembling the node image" assemble
  fi
  # shellcheck disable=SC2034 # the addons ask
  NODE_IS_OURS=yes
}

# assemble: put images into a container of the root file system, and commit that; to be run by `run`
assemble() {
  images=()
  for name in kube-apiserver kube-controller-manager kube-scheduler; do image "registry.k8s.io/$name:$K8S" $name; done
  image "registry.k8s.io/kube-proxy:$K8S" kube-proxy -C "$NETTOOLS" .
  required=$("$BIN/kubeadm" config images list --kubernetes-version "$K8S" 2>/dev/null)
  image "$(grep coredns <<<"$required")" coredns
  image "$(grep etcd <<<"$required")" etcd
  image "$(sed -n 's/.*sandbox_image = "\(.*\)"/\1/p' "$ROOTFS/etc/containerd/config.toml")" pause
  image kind.local/nettools:1 pause -C "$NETTOOLS" .
  image "$(storage_image local-path-provisioner:)" local-path-provisioner
  image "$(storage_image local-path-helper:)" pause -C "$NETTOOLS" .
  image "$(addon_image traefik)" traefik
  image "$(addon_image metrics-server)" metrics-server

  echo "importing the root file system"
  tar -C "$ROOTFS" --numeric-owner -c . -C "$BIN" --transform 's,^kube[a-z]*$,usr/bin/&,' kubeadm kubelet kubectl |
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
  docker commit -c 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' slipway-node-build "$NODE_IMAGE"
  docker rm -fv slipway-node-build

  # What went into it is not needed any more, nor are the node images before it (one that a cluster still uses stays).
  docker rmi "${images[@]}" slipway-node:base >/dev/null
  docker images slipway-node --format '{{.Repository}}:{{.Tag}}' | grep -vxF "$NODE_IMAGE" | xargs -r docker rmi >/dev/null 2>&1 || true
}

# image NAME PROGRAM [-C FOLDER FILE…]: an image of one program, and of what else tar is told to take
image() {
  echo "image $1"
  local name=$1 program=$2
  shift 2
  tar --numeric-owner --owner=0 --group=0 --transform "s,^$program\$,usr/local/bin/$program," -c \
    -C "$ROOTFS" etc/passwd etc/group etc/ssl/certs/ca-certificates.crt tmp "$@" -C "$BIN" "$program" |
    docker import -c 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin' -c "ENTRYPOINT [\"/usr/local/bin/$program\"]" - "$name"
  images+=("$name")
}

storage_image() { grep -o "[^ ]*$1[^ ]*" "$ROOTFS/kind/manifests/default-storage.yaml" | head -n 1; }
