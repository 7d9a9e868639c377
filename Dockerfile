# The inference server. Build it with scripts/image, which also finds base images where none can be pulled; or, with
# BuildKit, anywhere: docker build --target server -t slipway-server:0.1.0 .

FROM node:22-bookworm-slim AS onnxruntime
# Where packages come from, when it's not the public registry.
ARG NPM_CONFIG_REGISTRY
WORKDIR /src
COPY scripts/onnxruntime scripts/
RUN --mount=type=cache,target=/cache SLIPWAY_CACHE=/cache scripts/onnxruntime /onnxruntime

FROM golang:1.26-bookworm AS build
ARG GOPROXY
ARG GOSUMDB
WORKDIR /src
COPY go.mod go.sum ./
COPY server server
ARG VERSION=dev
ARG REVISION=unknown
# cgo, because ONNX Runtime is called through its C interface.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=1 go build -buildvcs=false -trimpath \
      -ldflags "-s -w -X main.version=$VERSION -X main.revision=$REVISION" -o /slipway ./server

FROM gcr.io/distroless/cc-debian12:nonroot AS server
COPY --from=onnxruntime /onnxruntime/libonnxruntime.so.1 /usr/local/lib/
COPY server/models /models
COPY --from=build /slipway /usr/local/bin/
# The library reports on its use to its makers unless it's told not to.
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
