# shellcheck shell=bash
# A node's root file system, as kind's own base image has it (images/base/Dockerfile in kind's source), and a small one
# with the tools that pods need.

ROOTFS=$CACHE/offline/rootfs
NETTOOLS=$CACHE/offline/nettools
DEBIAN_PACKAGES=systemd,conntrack,iptables,nftables,iproute2,ethtool,mount,kmod,libseccomp2,pigz,ca-certificates,curl,jq,procps,socat
DEBIAN_PACKAGES+=,containerd,runc,containernetworking-plugins

rootfs() {
  local key
  key=$(fingerprint offline/{rootfs.sh,cni.yaml,go.mod} </dev/null)
  ! stamped offline-rootfs "$key" || return 0
  debian "$ROOTFS" bookworm $DEBIAN_PACKAGES
  run rootfs "turning it into a kind node" node_files
  run nettools "picking the tools for pods" nettools
  stamp offline-rootfs "$key"
}

node_files() (
  set -e
  kind=$(kind_module)
  cd "$ROOTFS"
  cp -r --no-preserve=mode "$kind"/images/base/files/. .
  chmod 755 usr/local/bin/* kind/bin kind/bin/*

  # Units that make no sense in a container.
  rm -f lib/systemd/system/{multi-user,local-fs,basic}.target.wants/* etc/systemd/system/*.wants/* \
    lib/systemd/system/sockets.target.wants/*{udev,initctl}* \
    lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
  echo ReadKMsg=no >>etc/systemd/journald.conf
  ln -sf /lib/systemd/systemd sbin/init
  chroot . systemctl -q enable kubelet containerd undo-mount-hacks
  chroot . systemctl -q mask systemd-binfmt.service

  # containerd and the CNI plugins where kind's files expect them.
  mkdir -p etc/kubernetes/manifests opt/cni/bin kind/manifests
  ln -sf /usr/bin/containerd usr/local/bin/
  ln -f usr/lib/cni/{host-local,loopback,ptp,portmap} opt/cni/bin/
  rm -rf etc/cni/net.d/*
  chroot . ctr oci spec |
    jq '.hooks.createContainer += [{path: "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' >etc/containerd/cri-base.json

  cp "$OFFLINE/cni.yaml" kind/manifests/default-cni.yaml
  storage_manifest "$kind" >kind/manifests/default-storage.yaml
)

# kind keeps its storage manifest in a Go string; the names of the two images are constants of the same file.
storage_manifest() {
  local source=$1/pkg/build/nodeimage/const_storage.go name
  awk '/^const defaultStorageManifest = `/ {inside = 1; next} /^`$/ {inside = 0} inside' "$source" |
    sed "$(for name in storageProvisionerImage storageHelperImage; do
      sed -n "s/^const $name = \"\(.*\)\"/s#\` + $name + \`#\1#/p" "$source"
    done)"
}

# The programs that kube-proxy, the CNI and the storage helper call, with the libraries that they link.
nettools() (
  set -e
  rm -rf "$NETTOOLS"
  mkdir -p "$NETTOOLS"
  cd "$ROOTFS"
  programs=(usr/bin/{bash,sleep,cat,mkdir,rm,mv,ls,grep,sed,curl,jq,kmod} bin/ip usr/sbin/{xtables-nft-multi,nft,conntrack})
  {
    printf '%s\n' "${programs[@]}" usr/lib/*-linux-gnu/xtables/*
    for program in "${programs[@]}"; do chroot . ldd "/$program" | grep -o '/[^ ]*' | cut -c 2-; done
  } | sort -u | tar -h --hard-dereference -c -T - | tar -C "$NETTOOLS" -x
  cd "$NETTOOLS"
  mkdir -p bin run
  ln -sf /usr/bin/bash bin/sh
  for family in iptables ip6tables; do
    for action in "" -save -restore; do ln -sf xtables-nft-multi usr/sbin/$family$action; done
  done
)
