# shellcheck shell=bash
# Root file systems made of Debian packages, from the mirror that this machine itself uses.

# debian FOLDER RELEASE PACKAGE,…: Debian without recommendations, in a folder that is there completely or not at all
debian() {
  install_packages debootstrap debian-archive-keyring jq
  locked debootstrap bootstrap "$@" # they share the folder of downloaded packages
}

# mirrors RELEASE: where this machine's own apt has Debian from, as lines MIRROR SUITE of that release
mirrors() {
  # shellcheck disable=SC2016 # these are apt's own variables
  apt-get indextargets --format '$(SITE) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk -v release="$1" '$2 ~ /^(bookworm|trixie)(-|$)/ && $3 == "main" {sub(/^[a-z]+/, release, $2); print $1, $2}' | uniq
}

bootstrap() { # FOLDER RELEASE PACKAGE,…
  local mirror
  mirror=$(mirrors "$2" | awk -v release="$2" '$2 == release {print $1; exit}')
  discard "$1.part"
  mkdir -p "$CACHE/debs"
  run "debootstrap-${1##*/}" "installing Debian packages into ${1##*/}" debootstrap --variant=minbase \
    --cache-dir="$CACHE/debs" --include="$3" "$2" "$1.part" ${mirror:+"$mirror"}
  rm -rf "$1.part"/var/cache/apt/archives/*.deb "$1.part"/var/lib/apt/lists/* \
    "$1.part"/usr/share/{doc,man,locale}/* "$1.part"/etc/apt/sources.list
  discard "$1"
  mv "$1.part" "$1"
}

# discard FOLDER: an interrupted debootstrap leaves file systems mounted in it, and those belong to this machine.
discard() {
  awk -v under="$1/" 'index($2, under) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount
  rm -rf --one-file-system "$1"
}
