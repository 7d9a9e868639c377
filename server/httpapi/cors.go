package httpapi

import (
	"net/http"

	"github.com/rs/cors"
)

// CORS is which pages of other origins may call the API from a browser; without origins
// none may. Credentials of the browser, such as cookies, are never allowed: a key is a
// header. Without methods or headers, those of the API are allowed.
type CORS struct{ Origins, Methods, Headers []string }

// headers of requests that the API reads; methods are cors's own.
var headers = []string{
	"Authorization", "X-Api-Key", "Content-Type", "Content-Encoding", requestIDHeader, timeoutHeader, headerLength, "Traceparent", "Tracestate", "Baggage",
}

// exposed are the headers of responses that a page may read.
var exposed = []string{requestIDHeader, modelHeader, versionHeader, headerLength, "Retry-After"}

// handler answers preflights, for which browsers send no key, and adds its headers to
// what h answers.
func (c CORS) handler(h http.Handler) http.Handler {
	if len(c.Origins) == 0 {
		return h
	}
	if len(c.Headers) == 0 {
		c.Headers = headers
	}
	return cors.New(cors.Options{
		AllowedOrigins: c.Origins, AllowedMethods: c.Methods, AllowedHeaders: c.Headers, ExposedHeaders: exposed,
		MaxAge: 600, // seconds for which a browser asks no more
	}).Handler(h)
}
