# shellcheck shell=bash
# What a bare cluster lacks: an Ingress controller, metrics for the HPA, and images of this machine.

# addon_image NAME: the image that its manifest names
addon_image() { sed -n 's/^ *image: //p' "$HERE/manifests/$1.yaml"; }

addons() {
  local addon image
  for addon in traefik metrics-server; do
    if [ -z "$NODE_IS_OURS" ]; then # else it holds them
      image=$(addon_image "$addon")
      pull "$image" || die "$image can't be pulled, though the node image could; see $LOGS/pull.log"
      load_image "$image"
    fi
    kubectl apply -f "$HERE/manifests/$addon.yaml" >"$LOGS/$addon.log" || die "$addon was refused; see above"
  done
  local_names_only
  settled
}

# local_names_only: behind the fence nothing outside answers, and so CoreDNS says at once that it knows no such name.
local_names_only() {
  [ -n "$FENCED" ] || return 0
  local corefile
  corefile=$(kubectl get configmap coredns -n kube-system -o jsonpath='{.data.Corefile}')
  grep -q 'forward ' <<<"$corefile" || return 0
  kubectl create configmap coredns -n kube-system --dry-run=client -o yaml \
    --from-literal=Corefile="$(sed '/forward /,/}/d' <<<"$corefile")" | kubectl replace -f - >"$LOGS/coredns.log"
  kubectl rollout restart deployment coredns -n kube-system >>"$LOGS/coredns.log"
}

# settled: everything that the cluster is made of is ready, and the Ingress controller answers on this machine's port.
settled() {
  local deployment i
  for deployment in kube-system/coredns kube-system/metrics-server local-path-storage/local-path-provisioner traefik/traefik; do
    kubectl rollout status deployment "${deployment#*/}" -n "${deployment%/*}" --timeout=120s >"$LOGS/rollout.log" 2>&1 ||
      die "$deployment does not become ready: $(tail -n 1 "$LOGS/rollout.log")"
  done
  kubectl wait apiservice v1beta1.metrics.k8s.io --for=condition=Available --timeout=150s >/dev/null ||
    die "the API server can't reach metrics-server"
  for ((i = 0; i < 60; i++)); do
    curl -s --max-time 2 -o /dev/null http://127.0.0.1:8088 && return
    sleep 0.5
  done
  die "the Ingress controller does not answer on 127.0.0.1:8088; see: docker port $NAME-control-plane"
}

# load_image NAME: from Docker into every node, unless these very nodes were given this very image before
load_image() {
  local image key
  image=$(docker image inspect -f '{{.Id}}' "$1" 2>/dev/null) || die "Docker has no image $1; build it first"
  [ -n "$(nodes)" ] || die "there is no cluster; make one with: scripts/cluster up"
  key=$(nodes --no-trunc | sort | sha256sum | cut -c 1-16)-$image
  ! stamped "loaded-${1//\//_}" "$key" || return 0
  run load-image "loading $1 into the nodes" kind load docker-image "$1" --name "$NAME"
  stamp "loaded-${1//\//_}" "$key"
}
