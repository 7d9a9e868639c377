// Package httpapi is the door for HTTP: /predict, /v1, /v2, health and, on a
// listener of its own, metrics. It decodes, asks serving, encodes, and is the
// only place that turns an error into a status.
package httpapi
