// Package telemetry writes what the server reports about itself: JSON logs,
// Prometheus metrics and OpenTelemetry spans. It must not know the payload of a
// request, nor any other package of the server: callers pass it names, durations
// and counts.
package telemetry
