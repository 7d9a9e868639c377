package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// Protocol is a way to send a request.
type Protocol string

// The protocols, by the names that the command line has for them.
const (
	RESTJSON   Protocol = "rest-json"
	RESTBinary Protocol = "rest-binary"
	GRPC       Protocol = "grpc"
)

// Target is the server to call, and how.
type Target struct {
	URL      string // http://host:port, https://host:port, or for gRPC also host:port
	Protocol Protocol
	Model    string
	Version  string // empty: the server chooses
	Key      string // an API key, sent as a bearer token when not empty
	Timeout  time.Duration
	// Deadline, when not 0, is sent to the server: in the parameter timeout,
	// which Triton has too, and over REST in our own header, which a server can
	// read before the body.
	Deadline time.Duration
}

// Statuses of an Outcome that no server gives.
const (
	StatusOK      = "ok"
	StatusTimeout = "timeout"
	StatusBroken  = "connection"
	StatusWrong   = "wrong response"
)

// Outcome is the result of one call: StatusOK, one of the other statuses above, an
// HTTP status such as 429, or a gRPC code such as RESOURCE_EXHAUSTED. Over gRPC
// the timeout is the call's deadline, which server and client see at once, so
// that both end it as DEADLINE_EXCEEDED.
type Outcome struct {
	Status string
	Detail string // the error, when not OK
}

// Caller sends the request over one connection. It is for one goroutine at a time, but
// another may call Close, which ends a Call.
type Caller interface {
	Call() Outcome
	Close() error
}

// Dial opens connections that all send the same request.
type Dial func() (Caller, error)

// Prepare encodes the request. With a nil expected every response is right.
func (t Target) Prepare(r *codec.Request, expected []tensor.Named) (Dial, error) {
	if t.Model == "" {
		return nil, errors.New("name the model")
	}
	if t.Deadline > 0 {
		r = withParameter(r, "timeout", t.Deadline.Microseconds())
	}
	if t.Protocol == GRPC {
		return t.prepareGRPC(r, expected)
	}
	return t.prepareREST(r, expected)
}

// Inputs requests the inputs of the model from the server.
func (t Target) Inputs(ctx context.Context) ([]tensor.Spec, error) {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	get := t.inputsREST
	if t.Protocol == GRPC {
		get = t.inputsGRPC
	}
	specs, err := get(ctx)
	if err != nil {
		return nil, fmt.Errorf("request the metadata of model %q from %s: %w", t.Model, t.URL, err)
	}
	return specs, nil
}

// address returns where to connect to, and whether with TLS.
func (t Target) address() (host string, secure bool, err error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" {
		// host:port, which url.Parse takes for a scheme or refuses.
		if _, _, bare := net.SplitHostPort(t.URL); bare == nil && !strings.Contains(t.URL, "/") {
			return t.URL, false, nil
		}
		return "", false, fmt.Errorf("URL %q: expected http://host:port, https://host:port or host:port", t.URL)
	}
	switch u.Scheme {
	case "http", "grpc":
	case "https", "grpcs":
		secure = true
	default:
		return "", false, fmt.Errorf("URL %q: unknown scheme %q, expected http or https", t.URL, u.Scheme)
	}
	if u.Port() != "" {
		return u.Host, secure, nil
	}
	if secure {
		return net.JoinHostPort(u.Hostname(), "443"), true, nil
	}
	return net.JoinHostPort(u.Hostname(), "80"), false, nil
}

// connect opens a TCP or TLS connection that speaks one of protocols.
func connect(address string, secure bool, timeout time.Duration, protocols ...string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: timeout}
	if secure {
		return tls.DialWithDialer(dialer, "tcp", address, &tls.Config{NextProtos: protocols})
	}
	return dialer.Dial("tcp", address)
}

// failed returns the outcome for an error of the connection.
func failed(err error) Outcome {
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		return Outcome{Status: StatusTimeout, Detail: err.Error()}
	}
	return Outcome{Status: StatusBroken, Detail: err.Error()}
}
