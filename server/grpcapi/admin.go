package grpcapi

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"google.golang.org/grpc"

	"slipway/server/fault"
)

// HTTPHandler serves the calls that an HTTP server receives, for a port that serves
// HTTP too. They are charged as those of a Listener are.
func (a *API) HTTPHandler(s *grpc.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ctx, err := a.newFlow(r.Context(), r.URL.Path)
		if err != nil {
			trailersOnly(w, err)
			return
		}
		defer f.charge.Release()
		defer f.cancel()
		r = r.WithContext(ctx)
		r.Body = &chargedBody{ReadCloser: r.Body, flow: f, closed: make(chan struct{})}
		s.ServeHTTP(w, r)
	})
}

// chargedBody is a body that its flow is charged for.
type chargedBody struct {
	io.ReadCloser
	flow   *flow
	closed chan struct{}
	once   sync.Once
}

// Read reads no more once the flow has ended, and then returns when the body is
// closed: grpc would make a status of its own of an error.
func (b *chargedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.flow.arrived(int64(n), err != nil)
	if b.flow.why() != nil {
		<-b.closed
		return 0, http.ErrBodyReadAfterClose
	}
	return n, err
}

func (b *chargedBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}

// trailersOnly refuses a call before gRPC has it. A space in the message may stay as it
// is, and %20 may stand for it.
func trailersOnly(w http.ResponseWriter, err error) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(int(fault.GRPCCode(err))))
	h.Set("Grpc-Message", url.PathEscape(fault.Text(err)))
	w.WriteHeader(http.StatusOK)
}
