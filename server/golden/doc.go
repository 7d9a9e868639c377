// Package golden reads the questions and answers that come with a version of a
// model, golden.ndjson, and compares what is answered now with what was answered
// then. It asks nobody: whoever loads a version or replays against a server does.
//
// A line is
//
//	{"request": {…}, "response": {…}, "tolerance": {"absolute": 1e-5, "relative": 1e-4}}
//
// with an inference request and response of the Open Inference Protocol; the
// tolerance, or one of its two numbers, may be left out. A key that is none of
// these, and whatever does not fit the model, is an error that names the line and
// the field.
package golden
