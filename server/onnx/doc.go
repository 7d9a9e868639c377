// Package onnx runs models with ONNX Runtime behind one small type, Session.
// Nothing else imports onnxruntime_go.
//
// The binding opens the library and the sessions. Values cross in frame.c, over
// the binding's own C layer, because its Go layer cannot express scalars and
// empty tensors of every type, cuts half-precision outputs short, copies each
// output twice, and crosses into C a dozen times for a run. Go memory that is
// lent to C stays pinned for the run.
package onnx
