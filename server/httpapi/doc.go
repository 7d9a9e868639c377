// Package httpapi is the REST API: /predict, /v1, /v2 and health, and the routes
// of the administration port. It has the routes, reads a request into what api
// takes and writes what api returns, and turns an error into a status.
//
// It must not know how a request is admitted, queued and run, what is logged and
// counted of it, or what a model is described as: gRPC has the same of package api.
package httpapi
