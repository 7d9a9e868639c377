// Package serving holds the models that are served and runs requests on them:
// choose the version, check the inputs against the model's, queue, run. It loads
// versions and swaps them in two phases: whatever can fail comes first, then the
// swap, then the old ones are drained and freed. Each model has a lock of its own, so
// that loading one delays no change of another.
//
// The package must not know a protocol or the form of a body: it takes and returns
// tensors, and errors of package fault.
package serving
