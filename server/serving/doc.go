// Package serving is a request's way through a model: choose the version, check
// the inputs against what the model says of them, run. It knows no protocol.
package serving
