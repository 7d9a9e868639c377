// Package fault is the one error type that carries the kind of a failure, and the
// one table from kinds to statuses. Packages return what went wrong and its kind;
// the protocols (HTTP, gRPC) turn the kind into a status, once. It imports no
// other package of the server.
package fault
