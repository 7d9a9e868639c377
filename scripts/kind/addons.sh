# shellcheck shell=bash
# What a bare cluster lacks: an Ingress controller, metrics for the HPA, and images of this machine.

# addon NAME: the image and the objects of its manifest. It runs on the control plane only.
addon() {
  local manifest=$ROOT/scripts/kind/manifests/$1.yaml image
  image=$(sed -n 's/^ *image: //p' "$manifest")
  have_image "$image"
  load_image "$image" "$NAME-control-plane"
  kubectl apply -f "$manifest" >"$LOGS/$1.log" || die "$1 was refused; see above"
}

# local_names_only: behind the fence nothing outside answers, and so CoreDNS is to say at once that it knows no such name.
local_names_only() {
  [ -n "$FENCED" ] || return 0
  local corefile
  corefile=$(kubectl get configmap coredns -n kube-system -o jsonpath='{.data.Corefile}')
  grep -q 'forward ' <<<"$corefile" || return 0
  kubectl create configmap coredns -n kube-system --dry-run=client -o yaml \
    --from-literal=Corefile="$(sed '/forward /,/}/d' <<<"$corefile")" | kubectl replace -f - >"$LOGS/coredns.log"
  kubectl rollout restart deployment coredns -n kube-system >>"$LOGS/coredns.log"
}

# ready [--with-metrics]: everything that the cluster is made of is ready, and the Ingress controller answers on this
# machine's port.
ready() {
  local deployment deployments=(kube-system/coredns local-path-storage/local-path-provisioner traefik/traefik) i
  [ -z "$1" ] || deployments+=(kube-system/metrics-server)
  for deployment in "${deployments[@]}"; do
    kubectl rollout status deployment "${deployment#*/}" -n "${deployment%/*}" --timeout=120s >"$LOGS/rollout.log" 2>&1 ||
      die "$deployment does not become ready: $(tail -n 1 "$LOGS/rollout.log")"
  done
  [ -z "$1" ] || kubectl wait apiservice v1beta1.metrics.k8s.io --for=condition=Available --timeout=150s >/dev/null ||
    die "the API server can't reach metrics-server; see: kubectl --kubeconfig .build/kubeconfig logs -n kube-system deployment/metrics-server"
  for ((i = 0; i < 60; i++)); do
    curl -s --noproxy '*' --max-time 2 -o /dev/null http://127.0.0.1:8088 && return
    sleep 0.5
  done
  die "the Ingress controller does not answer on 127.0.0.1:8088; see: docker port $NAME-control-plane"
}

# load_image NAME [NODE,…]: from Docker into every node, or into those, unless they were given this very image before
load_image() {
  local image key stamp=loaded-${1//\//_}
  image=$(docker image inspect -f '{{.Id}}' "$1" 2>/dev/null) || die "Docker has no image $1; build it first (scripts/image, or docker build)"
  [ -n "$(nodes)" ] || die "there is no cluster; make one with: scripts/cluster up"
  key=$(nodes --no-trunc | sort | sha256sum | cut -c 1-16)-$image-${2:-all}
  ! stamped "$stamp" "$key" || return 0
  run load-image "loading $1 into the nodes" kind load docker-image "$1" --name "$NAME" ${2:+--nodes "$2"}
  stamp "$stamp" "$key"
}
