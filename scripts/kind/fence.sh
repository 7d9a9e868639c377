# shellcheck shell=bash
# The cluster has a Docker network of its own, and no packet leaves the machine from there. A service address that
# kube-proxy has not rewritten yet would otherwise be routed out, and a stranger might answer it.

NETWORK=slipway
BRIDGE=br-slipway # a name of our own, so that the rule can be set before the bridge exists

fence() {
  FENCED=
  [ "$(uname -s)" = Linux ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "not root: the cluster's network stays without its fence"
    return
  fi
  local rule=(DOCKER-USER -i "$BRIDGE" ! -o "$BRIDGE" -m conntrack --ctstate NEW -j REJECT)
  iptables -w -n -L DOCKER-USER >/dev/null 2>&1 || iptables -w -N DOCKER-USER
  iptables -w -C "${rule[@]}" 2>/dev/null || iptables -w -I "${rule[@]}"
  # shellcheck disable=SC2034 # the addons ask
  FENCED=yes
}

network() {
  docker network inspect "$NETWORK" >/dev/null 2>&1 ||
    docker network create -o "com.docker.network.bridge.name=$BRIDGE" "$NETWORK" >/dev/null
}
