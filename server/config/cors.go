package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// CORS lets pages of other origins call the API from a browser, which otherwise keeps
// them from it. Without AllowedOrigins it is off.
type CORS struct {
	// AllowedOrigins such as https://app.example, https://*.example.com, or * for all.
	AllowedOrigins []string `yaml:"allowedOrigins"`
	// AllowedMethods and AllowedHeaders of requests; empty means all that the API has.
	AllowedMethods []string `yaml:"allowedMethods"`
	AllowedHeaders []string `yaml:"allowedHeaders"`
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost}

func (c CORS) validate() error {
	var all []error
	for i, origin := range c.AllowedOrigins {
		if !isOrigin(origin) {
			all = append(all, fmt.Errorf("http.cors.allowedOrigins[%d]: got %q, want * or an origin such as https://app.example, without a path", i, origin))
		}
	}
	for i, method := range c.AllowedMethods {
		if !slices.Contains(methods, method) {
			all = append(all, fmt.Errorf("http.cors.allowedMethods[%d]: got %q, want %s", i, method, strings.Join(methods, ", ")))
		}
	}
	for i, header := range c.AllowedHeaders {
		if !httpguts.ValidHeaderFieldName(header) { // which * is too
			all = append(all, fmt.Errorf("http.cors.allowedHeaders[%d]: got %q, want the name of a header, or *", i, header))
		}
	}
	if len(c.AllowedOrigins) == 0 && len(c.AllowedMethods)+len(c.AllowedHeaders) > 0 {
		all = append(all, errors.New("http.cors.allowedMethods and http.cors.allowedHeaders: without http.cors.allowedOrigins no page is allowed anything; name origins, or remove them"))
	}
	return errors.Join(all...)
}

// isOrigin reports whether a text is a scheme and a host, in which one * stands for any
// part of a name.
func isOrigin(text string) bool {
	if text == "*" {
		return true
	}
	text = strings.Replace(text, "*", "any", 1)
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && !strings.Contains(text, "*") && u.Scheme+"://"+u.Host == text
}
