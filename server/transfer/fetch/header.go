package fetch

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// ParseHeaders reads lines of "Name: value"; empty ones and those that begin
// with # are passed over. Errors never show a value.
func ParseHeaders(text []byte) (http.Header, error) {
	all := http.Header{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !httpguts.ValidHeaderFieldName(name) || value == "" || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("line %d: want Name: value", n)
		}
		all.Add(name, value)
	}
	return all, lines.Err()
}

// headers adds the caller's headers to requests that go to the very host they are for.
type headers struct {
	to   url.URL
	add  http.Header
	next http.RoundTripper
}

func (h *headers) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == h.to.Host && r.URL.Scheme == h.to.Scheme {
		r = r.Clone(r.Context())
		maps.Copy(r.Header, h.add)
	}
	return h.next.RoundTrip(r)
}

// CloseIdleConnections lets the client close what next keeps.
func (h *headers) CloseIdleConnections() {
	(&http.Client{Transport: h.next}).CloseIdleConnections()
}
