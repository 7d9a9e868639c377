# Slipway. `make` alone lists what there is to do.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PATH := $(CURDIR)/.build/bin:$(PATH)
# Go fetches the toolchain that go.mod names.
export GOTOOLCHAIN ?= auto
MODELS ?= server/models
SHELL_SCRIPTS = $(shell grep -lE '^\#!.*(bash|sh)$$' -r scripts tests charts .ci) scripts/lib.sh scripts/kind/*.sh scripts/offline/*.sh

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## A cluster, the image, a release and a prediction through its Ingress
	@scripts/demo

.PHONY: run
run: build ## Serve a repository without a cluster: make run MODELS=folder
	@exec .build/bin/slipway serve --models $(MODELS)

.PHONY: build
build: lib ## Compile the server to .build/bin/slipway
	@go build -o .build/bin/slipway ./server

.PHONY: lib
lib: ## Fetch ONNX Runtime's library to .build/lib
	@scripts/onnxruntime

.PHONY: image
image: ## Build the images slipway-server and slipway-trainer
	@scripts/image server
	@scripts/image trainer

.PHONY: unit
unit: lib ## The Go tests of the server: with nothing but Go, gcc and ONNX Runtime's library
	@go test ./server/...

.PHONY: test
test: ## Everything that needs no cluster
	@scripts/test

.PHONY: conformance
conformance: build ## Triton's, KServe's and ONNX's own clients and tests against the server
	@scripts/conformance

.PHONY: check-charts
check-charts: ## Lint, unit-test and validate the charts
	@scripts/check-charts

.PHONY: lint
lint: ## Lint Go and shell, and compare the versions that are pinned
	@scripts/tools golangci-lint shellcheck
	golangci-lint run --allow-parallel-runners
	shellcheck --external-sources $(SHELL_SCRIPTS)
	scripts/pins --check

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what the server is built of
	@scripts/vulncheck

.PHONY: pins
pins: ## Pin the images of the Dockerfile by digest, with their registry
	@scripts/pins

.PHONY: e2e
e2e: ## The tests on a kind cluster
	@scripts/e2e

.PHONY: evidence
evidence: ## The long proofs: the demo on an empty Docker that pulls its images
	@scripts/pull-path-test

.PHONY: bench
bench: build ## How fast it is, as ratios to ONNX Runtime and to empty handlers (15 minutes)
	@scripts/bench

.PHONY: microbench
microbench: lib ## Benchmarks of the server's packages
	go test -run '^$$' -bench . -benchmem ./server/...

.PHONY: fuzz
fuzz: lib ## Fuzz every parser for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

.PHONY: generate
generate: ## Make what is derived: charts' schemas, tables and renders, the models
	@scripts/generate-chart
	@scripts/models/generate

.PHONY: clean
clean: ## Remove the cluster and .build; what is costly to make stays cached
	@scripts/cluster down
	@rm -rf .build
