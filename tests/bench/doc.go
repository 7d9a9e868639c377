// Package bench shows by ratios what the server costs over ONNX Runtime itself,
// and over an empty handler where the model costs nothing: each pair is measured
// in the same run on the same processors. The tests need the build tag bench;
// scripts/bench builds what they start, runs them and prints the table. The
// programs bare and empty are what the server is held against.
package bench
