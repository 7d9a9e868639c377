// Package api is what REST and gRPC share: who may call, what is logged and
// counted of a call, when the server is ready, how a prediction is admitted and
// run, and what a version is described as. One rule here is one rule of both
// protocols.
//
// It knows the catalog and the messages of the Open Inference Protocol, which
// both protocols speak. It must not know routes, headers, statuses, gin or grpc:
// those are of httpapi and grpcapi, which call it.
package api
