// Package onnx runs models with ONNX Runtime behind one small type, Session.
// Nothing else imports onnxruntime_go.
//
// The binding opens the library and the sessions. Values cross in value.go, over
// the binding's own C layer, because its Go layer cannot express scalars and
// empty tensors of every type, cuts half-precision outputs short, and copies
// each output twice. Go memory that is lent to C stays pinned for the run.
package onnx
