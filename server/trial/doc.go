// Package trial opens and proves a version of a model in a child process before the
// server opens it: a model can crash ONNX Runtime, take all memory or never end, and
// then it is the child that ends. Trials.Run starts the child, which is the same
// binary (slipway trial), gives it the version and its limits on standard input and
// reads its reports from a pipe. Main is the child's side.
//
// The package must not know how a version is proved: the child's command passes that.
package trial
