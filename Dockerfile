# The inference server and the trainer. Build them with scripts/image, which also makes base images where none can be
# pulled; or, with BuildKit, anywhere: docker build --target server -t slipway-server:0.1.0 .

# What the images are made of. `make pins` adds each digest, and moves it to what the tag names now; it needs a registry.
ARG PYTHON_BASE=python:3.13-slim-bookworm
# The toolchain of go.mod, which `make lint` compares.
ARG GO_BASE=golang:1.26.11-bookworm
ARG SERVER_BASE=gcr.io/distroless/cc-debian12:nonroot
ARG DEBIAN_BASE=debian:trixie-slim
# One that has PyTorch with CUDA, onnx, tqdm and PyYAML trains on GPUs.
ARG TRAINER_BASE=debian:trixie-slim

FROM ${PYTHON_BASE} AS onnxruntime
# Where packages come from, when it's not the public index.
ARG PIP_INDEX_URL
WORKDIR /src
COPY scripts/onnxruntime scripts/lib.sh scripts/
RUN --mount=type=cache,target=/cache SLIPWAY_CACHE=/cache scripts/onnxruntime /onnxruntime

FROM ${GO_BASE} AS build
ARG GOPROXY
ARG GOSUMDB
WORKDIR /src
COPY go.mod go.sum ./
COPY server server
ARG VERSION=dev
ARG REVISION=unknown
# cgo, because ONNX Runtime is called through its C interface.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    echo "packages: $(go list -deps ./server | wc -l)" && \
    CGO_ENABLED=1 go build -v -buildvcs=false -trimpath \
      -ldflags "-s -w -X slipway/server/buildinfo.Version=$VERSION -X slipway/server/buildinfo.Revision=$REVISION" -o /slipway ./server

FROM ${SERVER_BASE} AS server
COPY --from=onnxruntime /onnxruntime/libonnxruntime.so.1 /usr/local/lib/
COPY server/models /models
COPY --from=build /slipway /usr/local/bin/
# StringNormalizer, an operator of text pipelines, loads only where there is this locale. It uses the locale for letter
# case, which C.UTF-8 has from the same tables.
COPY --from=build /usr/lib/locale/C.utf8 /usr/lib/locale/en_US.utf8
# The library reports on its use to its makers unless it is forbidden to.
ENV ORT_DISABLE_TELEMETRY=1
# A number, so that Kubernetes can see that it isn't root.
USER 65532:65532
EXPOSE 8080 8081 9090
ENTRYPOINT ["/usr/local/bin/slipway"]
CMD ["serve"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="slipway-server" \
      org.opencontainers.image.description="Serves ONNX models over HTTP and gRPC" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"

# The digits that the trainer learns from, out of the package that ships them.
FROM ${DEBIAN_BASE} AS digits
WORKDIR /digits
RUN apt-get update && apt-get download python3-sklearn=1.4.2+dfsg-8 && \
    dpkg-deb --fsys-tarfile python3-sklearn_*.deb | \
      tar -xO ./usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz | gunzip >digits.csv && \
    echo "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8  digits.csv" | sha256sum --check --strict && \
    rm -rf python3-sklearn_*.deb /var/lib/apt/lists/*

FROM ${TRAINER_BASE} AS trainer
# Debian's PyTorch is built without libuv, which torchrun asks for in some places whatever USE_LIBUV says.
RUN if ! python3 -c 'import torch' 2>/dev/null; then \
      apt-get update && \
      apt-get install -y --no-install-recommends \
        python3-torch=2.6.0+dfsg-7 python3-onnx=1.17.0-3+b1 python3-tqdm=4.67.1-5 python3-yaml=6.0.2-1+b2 && \
      rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb && \
      cd /usr/lib/python3/dist-packages/torch/distributed && \
      sed -i 's/multi_tenant=True,/& use_libuv=False,/' elastic/rendezvous/*_rendezvous*.py && \
      sed -i 's/is_master=False,/& use_libuv=False,/' rendezvous.py; \
    fi && \
    python3 -c 'import torch, onnx, tqdm, yaml; assert torch.distributed.is_available()' && \
    { [ -e /usr/lib/locale/en_US.utf8 ] || cp -r /usr/lib/locale/C.utf8 /usr/lib/locale/en_US.utf8; }
COPY --from=digits /digits/digits.csv /usr/share/slipway/
# The server proves and publishes what was trained.
COPY --from=onnxruntime /onnxruntime/libonnxruntime.so.1 /usr/local/lib/
COPY --from=build /slipway /usr/local/bin/
COPY charts/model-training/trainer /opt/slipway/trainer
ENV PYTHONPATH=/opt/slipway PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 USE_LIBUV=0
USER 65532:65532
WORKDIR /tmp
ENTRYPOINT ["python3", "-m", "trainer"]
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="slipway-trainer" \
      org.opencontainers.image.description="Trains a model with PyTorch over several workers and publishes it" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
