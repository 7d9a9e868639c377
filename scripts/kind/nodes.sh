# shellcheck shell=bash
# The cluster's nodes, which are containers: created, kept, repaired.

NAME=slipway
KUBECONFIG=$ROOT/.build/kubeconfig
export KUBECONFIG KIND_EXPERIMENTAL_DOCKER_NETWORK=$NETWORK

nodes() { docker ps -aq --filter "label=io.x-k8s.kind.cluster=$NAME" "$@"; }

# nodes_up brings up the nodes by the shortest way: they are healthy, they need a start, or they are made anew.
nodes_up() {
  local wanted=$CACHE/kind/cluster.yaml
  mkdir -p "$CACHE/kind/shared"
  configuration >"$wanted"
  if [ -z "$(nodes)" ]; then
    create
  elif ! docker cp "$NAME-control-plane:/kind/created-with.yaml" - 2>/dev/null | tar -xO 2>/dev/null | cmp -s "$wanted"; then
    say "the cluster was made by another recipe: making it anew"
    create
  elif [ "$(nodes | wc -l)" != 3 ]; then
    say "the cluster is only half there: making it anew"
    create
  elif [ "$(nodes --filter status=running | wc -l)" != 3 ]; then
    say "the cluster's nodes are not running: starting them …"
    if ! { nodes | xargs docker start >/dev/null && kubeconfig && healthy_within 120; }; then
      say "they did not come back: making the cluster anew"
      create
    fi
  elif ! { kubeconfig && healthy_within 90; }; then
    say "the cluster does not answer: restarting its nodes …"
    if ! { nodes | xargs docker restart -t 5 >/dev/null && healthy_within 120; }; then
      say "that did not help: making the cluster anew"
      create
    fi
  fi
}

# configuration: what kind reads; a cluster made with another one is not kept
configuration() {
  echo "# $(docker image inspect -f '{{.Id}}' "$NODE_IMAGE")"
  sed "s|hostPath: SHARED|hostPath: $CACHE/kind/shared|" "$ROOT/scripts/kind/cluster.yaml"
  # A negative OOM score needs CAP_SYS_RESOURCE, bit 24, which not every machine has.
  if [ "$(uname -s)" = Linux ] && [ $((16#$(awk '/^CapBnd/ {print $2}' /proc/self/status) >> 24 & 1)) = 0 ]; then
    printf '%s\n' 'containerdConfigPatches:' '- |-' \
      '  [plugins."io.containerd.grpc.v1.cri"]' '  restrict_oom_score_adj = true'
  fi
}

create() {
  [ -z "$(nodes)" ] || kind delete cluster --quiet --name "$NAME"
  mkdir -p "${KUBECONFIG%/*}"
  run kind-create "creating the cluster" kind create cluster --name "$NAME" --image "$NODE_IMAGE" \
    --config "$CACHE/kind/cluster.yaml" --wait 120s
  docker cp "$CACHE/kind/cluster.yaml" "$NAME-control-plane:/kind/created-with.yaml" >/dev/null
}

# kubeconfig: rewritten each time, since the checkout may be a new one
kubeconfig() {
  mkdir -p "${KUBECONFIG%/*}"
  kind export kubeconfig --quiet --name "$NAME" --kubeconfig "$KUBECONFIG" 2>/dev/null
}

healthy_within() { # SECONDS
  local begin=$SECONDS i
  for ((i = 1; SECONDS - begin < $1; i++)); do
    ! healthy || return 0
    ((i % 15)) || say "  waiting for the nodes: $((SECONDS - begin)) s"
    sleep 1
  done
  return 1
}

# healthy: the API answers, and each kubelet has reported lately, and since its node was started, that it is ready.
healthy() {
  local since leases
  since=$({
    date -u -d '20 seconds ago' +%FT%TZ
    nodes | xargs docker inspect -f '{{.State.StartedAt}}'
  } | sort | tail -n 1)
  kubectl get --raw /readyz --request-timeout=5s >/dev/null 2>&1 || return 1
  leases=$(kubectl get leases -n kube-node-lease --request-timeout=5s -o jsonpath='{range .items[*]}{.spec.renewTime}{"\n"}{end}') || return 1
  [ "$(awk -v since="$since" '$1 >= since' <<<"$leases" | wc -l)" = 3 ] &&
    kubectl wait node --all --for=condition=Ready --timeout=1s >/dev/null 2>&1
}
