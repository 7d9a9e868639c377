// Package repository finds model bundles in a folder, verifies them against their
// manifests and watches for changes. It must not open a model, log or count: it
// returns what it found. It reads regular files of the repository only: links stay in it.
//
//	<repository>/<model>/<version>/model.onnx   a bundle, see package bundle
//	<repository>/<model>/config.yaml            or Triton's config.pbtxt
//	<repository>/<model>/model.onnx             a bare bundle, version 1
//	<repository>/<model>.onnx                   a bare model, version 1
//
// A bundle or bare model has with it the files that its ONNX file refers to.
package repository
