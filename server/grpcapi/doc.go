// Package grpcapi is the gRPC API: the Open Inference Protocol with Triton's
// extensions, health and reflection. It has the methods, turns messages into
// tensors and tensors into messages, and errors into statuses.
//
// It must not know how a call is admitted, queued and run, what is logged and
// counted of it, or what a model is described as: REST has the same of package api.
package grpcapi
