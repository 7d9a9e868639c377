// Package serving is a request's way through a model: choose the version, check
// the inputs against what the model says of them, queue, run. It loads versions
// and swaps them in two phases: whatever can fail comes first, then the swap,
// then the old ones are drained and freed. It knows no protocol.
package serving
