// Package onnx runs models with ONNX Runtime: Init loads the library, Open a model,
// Session.Run computes outputs from inputs. Nothing else imports onnxruntime_go. It
// must not know the repository, versions, batching or a protocol: its callers pass a
// path, tensors and a context.
//
// The binding's Go layer loads the library. Sessions and values go through its C
// layer, because its Go layer hides the session, cannot express scalars and empty
// tensors of every type, truncates half-precision outputs, copies each output twice,
// and crosses into C a dozen times in a run. binding.h lists the C functions; Init
// checks that each is there and that the binding is the version that the tests ran.
// Go memory that is lent to C stays pinned for the run.
package onnx
