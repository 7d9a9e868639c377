package grpcapi

import (
	"io"
	"net/http"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"slipway/server/fault"
)

// HTTPHandler serves the calls that an HTTP server receives, for a port that serves
// HTTP too. They are charged as those of a Listener are.
func (a *API) HTTPHandler(s *grpc.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ctx, err := a.newFlow(r.Context(), r.URL.Path)
		if err != nil {
			trailersOnly(w, fault.GRPCCode(err), err.Error())
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

// trailersOnly refuses a call before gRPC has it.
func trailersOnly(w http.ResponseWriter, code codes.Code, message string) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(int(code)))
	h.Set("Grpc-Message", message)
	w.WriteHeader(http.StatusOK)
}
