package api

import (
	"strings"

	"github.com/google/uuid"
)

// RequestID returns the caller's id if it is fit for a log line, else a new one.
func RequestID(given string) string {
	if given == "" || len(given) > 128 || strings.ContainsFunc(given, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return uuid.NewString()
	}
	return given
}
