package source

import (
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// ParseHeaders reads lines of "Name: value", and ignores empty ones and those that
// begin with #. Errors never show a value.
func ParseHeaders(text []byte) (http.Header, error) {
	headers := http.Header{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !httpguts.ValidHeaderFieldName(name) || value == "" || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("line %d: expected Name: value", n)
		}
		headers.Add(name, value)
	}
	return headers, nil
}
