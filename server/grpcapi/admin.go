package grpcapi

import (
	"context"
	"io"
	"net/http"
	"strconv"

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
		defer f.cancel(nil)
		r = r.WithContext(ctx)
		r.Body = &chargedBody{r.Body, f}
		s.ServeHTTP(w, r)
	})
}

// chargedBody is a body that its flow is charged for.
type chargedBody struct {
	io.ReadCloser
	flow *flow
}

func (b *chargedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.flow.arrived(int64(n))
	}
	if ended := context.Cause(b.flow.ctx); ended != nil {
		return 0, ended
	}
	return n, err
}

// trailersOnly refuses a call before gRPC has it.
func trailersOnly(w http.ResponseWriter, code codes.Code, message string) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", strconv.Itoa(int(code)))
	h.Set("Grpc-Message", message)
	w.WriteHeader(http.StatusOK)
}
