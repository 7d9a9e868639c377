// Package grpcapi answers gRPC: the Open Inference Protocol with Triton's
// extensions, health and reflection. It turns messages into tensors and errors
// into statuses; what a model does with them is serving's.
package grpcapi
