# shellcheck shell=bash
# A Docker client that builds with BuildKit. The first one on the PATH may be unable to: since version 23 it takes a
# plug-in, buildx, that is not always there; before, BuildKit was part of the client.

buildkit_client() {
  local client version
  while read -r client; do
    version=$("$client" version -f '{{.Client.Version}}' 2>/dev/null) || true
    if "$client" buildx version >/dev/null 2>&1 || [ "${version%%.*}" -lt 23 ] 2>/dev/null; then
      echo "$client"
      return
    fi
  done < <(type -ap docker; echo /usr/bin/docker)
  die "this Docker client can't use BuildKit; install its buildx plug-in, see https://docs.docker.com/go/buildx/"
}

# docker_build LOG WHAT ARGUMENT…: docker build, with BuildKit
docker_build() {
  local log=$1 what=$2 client
  shift 2
  client=$(buildkit_client)
  run "$log" "$what" env DOCKER_BUILDKIT=1 BUILDKIT_PROGRESS=plain "$client" build "$@"
}
