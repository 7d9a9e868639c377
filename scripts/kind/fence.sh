# shellcheck shell=bash
# The cluster has a Docker network of its own, and a rule of the host's firewall keeps its packets on this machine. A
# service address that kube-proxy has not rewritten yet would otherwise be routed out, and a stranger might answer it.

NETWORK=slipway
BRIDGE=br-slipway # a name of our own, so that the rule can be set before the bridge exists

# fence sets the rule, and FENCED if it could.
fence() {
  FENCED=
  [ "$(uname -s)" = Linux ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "not root: packets of the cluster may leave this machine"
    return
  fi
  command -v iptables >/dev/null || install_packages iptables
  local rule=(DOCKER-USER -i "$BRIDGE" ! -o "$BRIDGE" -m conntrack --ctstate NEW -j REJECT)
  iptables -w -n -L DOCKER-USER >/dev/null 2>&1 || iptables -w -N DOCKER-USER
  iptables -w -C "${rule[@]}" 2>/dev/null || iptables -w -I "${rule[@]}"
  # shellcheck disable=SC2034 # the addons read it
  FENCED=yes
}

network() {
  docker network inspect "$NETWORK" >/dev/null 2>&1 ||
    docker network create -o "com.docker.network.bridge.name=$BRIDGE" "$NETWORK" >/dev/null
}
