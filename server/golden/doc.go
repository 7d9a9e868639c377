// Package golden reads the golden answers of a version, golden.ndjson, and compares the outputs of a
// model with them. Serving a version and replaying against a server use the same comparison,
// which is the only one of tensors with a tolerance.
//
// A line of the file is
//
//	{"request": {…}, "response": {…}, "tolerance": {"absolute": 1e-5, "relative": 1e-4},
//	 "recorded": {"runtime": "ONNX Runtime 1.32.0", "threads": 2}}
//
// with an inference request and response of the Open Inference Protocol. The
// tolerance and what recorded the response may be left out, or in part. Any other key,
// and whatever does not fit the model, is an error that names the line and the field.
//
// Package codec reads and writes requests and responses; this one must not know their JSON, and
// must not run a model or call a server.
package golden
