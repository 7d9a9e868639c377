//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ingressAddresses are the local addresses that kind maps the Ingress controller's ports to (scripts/cluster).
var ingressAddresses = map[string]string{"80": "127.0.0.1:8088", "443": "127.0.0.1:8443"}

const requestTimeout = 10 * time.Second

// endpoint is one way to a release's HTTP routes.
type endpoint struct {
	base   string
	client *http.Client
	header http.Header
}

// response is an HTTP response with its complete body.
type response struct {
	status int
	header http.Header
	body   string
}

// throughService sends requests to a port of a Service through the API server's proxy, which picks one of the Service's ready pods. The
// proxy does not forward an Authorization header.
func throughService(ns, service, port string) *endpoint {
	return &endpoint{
		base:   fmt.Sprintf("%s/api/v1/namespaces/%s/services/http:%s:%s/proxy", cluster.config.Host, ns, service, port),
		client: cluster.api,
	}
}

// throughIngress sends requests to the Ingress controller for a host name that DNS does not know.
func throughIngress(host string) *endpoint {
	return &endpoint{base: "http://" + host, client: &http.Client{Transport: ingressTransport(nil)}}
}

// throughTLS is throughIngress over TLS, trusting only the given certificates.
func throughTLS(host string, roots *x509.CertPool) *endpoint {
	return &endpoint{base: "https://" + host, client: &http.Client{Transport: ingressTransport(&tls.Config{RootCAs: roots})}}
}

func ingressTransport(config *tls.Config) *http.Transport {
	return &http.Transport{
		TLSClientConfig: config,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, ingressAddresses[port])
		},
	}
}

// with returns the endpoint with one more request header.
func (e endpoint) with(key, value string) *endpoint {
	header := e.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(key, value)
	e.header = header
	return &e
}

// fresh returns the endpoint with a new connection for each request.
func (e endpoint) fresh() *endpoint {
	transport := e.client.Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	e.client = &http.Client{Transport: transport}
	return &e
}

// do sends a request, and fails only if no complete response arrives.
func (e *endpoint) do(ctx context.Context, method, path, body string) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, e.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return response{}, err
	}
	maps.Copy(request.Header, e.header)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	received, err := e.client.Do(request)
	if err != nil {
		return response{}, err
	}
	defer received.Body.Close()
	content, err := io.ReadAll(received.Body)
	if err != nil {
		return response{}, err
	}
	return response{received.StatusCode, received.Header, string(content)}, nil
}

func (e *endpoint) get(t *testing.T, path string) response {
	t.Helper()
	got, err := e.do(t.Context(), http.MethodGet, path, "")
	require.NoError(t, err)
	return got
}

func (e *endpoint) post(t *testing.T, path, body string) response {
	t.Helper()
	got, err := e.do(t.Context(), http.MethodPost, path, body)
	require.NoError(t, err)
	return got
}

// eventually retries a prediction until it succeeds, because a new pod or Ingress takes a moment to be known everywhere, and returns the
// response.
func (e *endpoint) eventually(t *testing.T, body string) response {
	t.Helper()
	var last response
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		got, err := e.do(t.Context(), http.MethodPost, "/predict", body)
		require.NoError(c, err)
		require.Equal(c, http.StatusOK, got.status, got.body)
		last = got
	}, time.Minute, 200*time.Millisecond, "POST %s/predict", e.base)
	return last
}
