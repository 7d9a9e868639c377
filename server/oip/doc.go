// Package oip is the Open Inference Protocol, version 2, as gRPC has it: the
// messages and the service that scripts/protobuf writes from oip.proto, and the
// table of which field of a message carries which data type.
//
// The server, its clients and its tests share it. It imports tensor and must not
// know what a model is, how a request is served or how a connection is made.
package oip
