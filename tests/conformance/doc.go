// Package conformance proves that the server implements the protocols that it
// names: third-party programs drive the real binary, namely the clients of Triton
// and KServe, perf_analyzer and the ONNX standard's own tests.
// scripts/conformance runs it.
package conformance
