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

// Where kind maps the Ingress controller's ports to (scripts/cluster).
var ingressAddresses = map[string]string{"80": "127.0.0.1:8088", "443": "127.0.0.1:8443"}

const patience = 10 * time.Second // for one request

// endpoint is one way to a release's HTTP routes.
type endpoint struct {
	base   string
	client *http.Client
	header http.Header
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// throughService asks a port of a Service by way of the API server's proxy, which picks one of the Service's ready pods. The proxy keeps
// an Authorization header to itself.
func throughService(ns, service, port string) *endpoint {
	return &endpoint{
		base:   fmt.Sprintf("%s/api/v1/namespaces/%s/services/http:%s:%s/proxy", cluster.config.Host, ns, service, port),
		client: cluster.api,
	}
}

// throughPod asks a pod itself, which no Service may be sending anything to.
func throughPod(ns, pod string) *endpoint {
	return &endpoint{
		base:   fmt.Sprintf("%s/api/v1/namespaces/%s/pods/http:%s:8080/proxy", cluster.config.Host, ns, pod),
		client: cluster.api,
	}
}

// throughIngress asks the Ingress controller for a host name that no DNS knows.
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

// with is the same way, walked with one more header.
func (e endpoint) with(key, value string) *endpoint {
	header := e.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(key, value)
	e.header = header
	return &e
}

// fresh is the same way with a new connection for each request.
func (e endpoint) fresh() *endpoint {
	transport := e.client.Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	e.client = &http.Client{Transport: transport}
	return &e
}

// do asks, and fails only when no whole answer comes.
func (e *endpoint) do(ctx context.Context, method, path, body string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, e.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return answer{}, err
	}
	maps.Copy(request.Header, e.header)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := e.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{response.StatusCode, response.Header, string(content)}, nil
}

func (e *endpoint) get(t *testing.T, path string) answer {
	t.Helper()
	a, err := e.do(t.Context(), http.MethodGet, path, "")
	require.NoError(t, err)
	return a
}

func (e *endpoint) post(t *testing.T, path, body string) answer {
	t.Helper()
	a, err := e.do(t.Context(), http.MethodPost, path, body)
	require.NoError(t, err)
	return a
}

// eventually waits for a prediction, as it takes a moment until a new pod or Ingress is known everywhere, and returns the answer.
func (e *endpoint) eventually(t *testing.T, body string) answer {
	t.Helper()
	var last answer
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		a, err := e.do(t.Context(), http.MethodPost, "/predict", body)
		require.NoError(c, err)
		require.Equal(c, http.StatusOK, a.status, a.body)
		last = a
	}, time.Minute, 200*time.Millisecond, "POST %s/predict", e.base)
	return last
}
