// Package conformance proves that the server speaks the protocols it names: the
// clients of Triton and KServe, perf_analyzer and the ONNX standard's own tests,
// none of them ours, drive the real binary. scripts/conformance runs it.
package conformance
