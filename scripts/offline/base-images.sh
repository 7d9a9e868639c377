# shellcheck shell=bash
# The images that the Dockerfile starts from: Debian packages, with the Go toolchain that go.mod names, so that one Dockerfile
# serves everywhere.

# A company's proxy has a certificate of its own: what this machine trusts, its stand-ins trust.
TRUST=/etc/ssl/certs/ca-certificates.crt

# dockerfile NAME KEY FOLDER: the image of the Dockerfile on stdin and of the files in the folder
dockerfile() {
  local dockerfile=$CACHE/offline/${1//[\/:]/-}.Dockerfile
  cat >"$dockerfile"
  docker_build "image-${1//[\/:]/-}" "making the image $1" --label "slipway.offline=$2" -t "$1" -f "$dockerfile" "$3"
}

# base_folder RELEASE: the Debian that images are made of; DEBIAN is where it is
base_folder() {
  DEBIAN=$CACHE/offline/$1
  mkdir -p "$CACHE/offline/empty"
  locked debian make_base_folder "$1"
}

make_base_folder() { # RELEASE
  local key packages=ca-certificates,tzdata,libgomp1 # the last for cc_image
  key=$(echo $packages | fingerprint offline/debian.sh)
  ! stamped "offline-$1" "$key" || return 0
  debian "$DEBIAN" "$1" $packages
  cp -L "$TRUST" "$DEBIAN$TRUST"
  sources "$1" >"$DEBIAN/etc/apt/sources.list"
  stamp "offline-$1" "$key"
}

# base_image RELEASE: the same as an image, whose name is BASE
base_image() {
  base_folder "$1"
  BASE=slipway-$1:$(cat "$CACHE/stamps/offline-$1")
  docker image inspect "$BASE" >/dev/null 2>&1 ||
    tar -C "$DEBIAN" --numeric-owner -c . | docker import - "$BASE" >/dev/null
}

# current NAME: the image was made of these very sources; else KEY is what the next one is made of.
current() {
  KEY=$(go -C "$ROOT" env GOROOT GOVERSION | fingerprint offline/{base-images,debian}.sh)
  made_of "$1" "$KEY"
}

# sources RELEASE: where this machine's own apt has Debian from, else debootstrap
sources() {
  mirrors "$1" | awk '{print "deb", $1, $2, "main"}' | grep . ||
    sed -n "s|^DEF_MIRROR=\"\(.*\)\"\$|deb \1 $1 main|p" "$(command -v debootstrap)"
}

# with PACKAGE…: the line of a Dockerfile that installs them
with() {
  echo "RUN apt-get update && apt-get install -y --no-install-recommends $* && rm -rf /var/lib/apt/lists/*"
}

debian_image() { # NAME RELEASE
  ! current "$1" || return 0
  base_image "$2"
  dockerfile "$1" "$KEY" "$CACHE/offline/empty" <<END
FROM $BASE
END
}

go_image() { # NAME
  ! current "$1" || return 0
  base_image bookworm
  dockerfile "$1" "$KEY" "$(go -C "$ROOT" env GOROOT)" <<END
FROM $BASE
$(with gcc libc6-dev)
COPY . /usr/local/go
ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV GOPATH=/go GOTOOLCHAIN=local SSL_CERT_FILE=$TRUST
WORKDIR /go
END
}

python_image() { # NAME
  ! current "$1" || return 0
  base_image bookworm
  dockerfile "$1" "$KEY" "$CACHE/offline/empty" <<END
FROM $BASE
$(with python3 python3-pip)
ENV PIP_CERT=$TRUST
END
}

# The C++ runtime and no more: no shell, no package manager, and a user that is nobody.
cc_image() { # NAME
  ! current "$1" || return 0
  base_image bookworm
  local folder=$CACHE/offline/cc
  rm -rf "$folder"
  mkdir -p "$folder/etc" "$folder/home/nonroot" "$folder/tmp"
  chmod 1777 "$folder/tmp"
  echo nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$folder/etc/passwd"
  echo nonroot:x:65532: >"$folder/etc/group"
  {
    chroot "$DEBIAN" dpkg -L libc6 libgcc-s1 libstdc++6 libgomp1 tzdata | (cd "$DEBIAN" && while read -r path; do
      if [ -e ".$path" ] && [ ! -d ".$path" ]; then echo ".$path"; fi
    done)
    echo ".$TRUST"
  } | tar -C "$DEBIAN" -c -T - | tar -C "$folder" -x
  dockerfile "$1" "$KEY" "$folder" <<END
FROM scratch
COPY . /
ENV PATH=/usr/local/bin:/usr/bin:/bin SSL_CERT_FILE=$TRUST
USER 65532:65532
WORKDIR /home/nonroot
END
}
