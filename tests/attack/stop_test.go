package attack

import (
	"context"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

const (
	reflectionMethod = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	watchMethod      = "/grpc.health.v1.Health/Watch"
)

// idle are clients that begin something and then do nothing.
var idle = []struct {
	name  string
	begin func(t *testing.T, s *server)
}{
	{"connections with nothing", func(t *testing.T, s *server) {
		for _, address := range []string{s.http, s.admin, s.grpc} {
			s.write(t, address, "")
		}
	}},
	{"half a header", func(t *testing.T, s *server) {
		for _, address := range []string{s.http, s.admin} {
			s.write(t, address, "POST /predict HTTP/1.1\r\nHost: x\r\n")
		}
	}},
	{"half a body", func(t *testing.T, s *server) {
		s.write(t, s.http, post("/predict/identity", megabyte)+"{")
		s.write(t, s.http, post("/predict/identity", megabyte, "Content-Encoding: gzip")+gzipped("{")[:8])
		s.write(t, s.admin, post("/v2/repository/index", megabyte)+"{")
	}},
	{"idle connections", func(t *testing.T, s *server) {
		for _, address := range []string{s.http, s.admin} {
			s.write(t, address, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		}
	}},
	{"responses that nobody reads", func(t *testing.T, s *server) {
		body := `{"inputs":{"shape":[1024,8192]}}`
		s.write(t, s.http, post("/predict/fill", len(body))+body)
	}},
	{"prefaces of HTTP/2", func(t *testing.T, s *server) {
		for _, address := range []string{s.grpc, s.admin} {
			s.write(t, address, http2.ClientPreface)
		}
	}},
	{"half a message", func(t *testing.T, s *server) {
		for _, address := range []string{s.grpc, s.admin} {
			for _, method := range []string{inferMethod, streamMethod} {
				s.call(t, address, 1<<20, method, framed(false, fillRequest(1, 1))[:8], false)
			}
		}
	}},
	{"silent streams", func(t *testing.T, s *server) {
		for _, address := range []string{s.grpc, s.admin} {
			for _, method := range []string{streamMethod, reflectionMethod, watchMethod} {
				s.call(t, address, 1<<20, method, nil, false)
			}
			s.call(t, address, 1<<20, streamMethod, framed(false, fillRequest(1, 1)), false)
		}
	}},
	{"messages that nobody reads", func(t *testing.T, s *server) {
		for _, address := range []string{s.grpc, s.admin} {
			for _, method := range []string{inferMethod, streamMethod} {
				s.call(t, address, 0, method, framed(false, fillRequest(1024, 1024)), true)
				s.call(t, address, 0, method, framed(false, fillRequest(1024, 1024)), false)
			}
		}
	}},
}

// write opens a connection, writes to it and leaves it open.
func (s *server) write(t *testing.T, address, text string) {
	t.Helper()
	c, err := dial(context.Background(), address)
	require.NoError(t, err)
	s.open = append(s.open, c)
	_, err = io.WriteString(c, text)
	require.NoError(t, err)
}

// call begins a call on a connection of its own, which it leaves open.
func (s *server) call(t *testing.T, address string, receive uint32, method string, message []byte, end bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel() // it bounds the dial, and says until when the connection lasts
	c := connect(ctx, address, receive)
	require.NotNil(t, c)
	s.open = append(s.open, c)
	require.NoError(t, c.headers(1, method))
	if len(message) > 0 {
		require.NoError(t, c.framer.WriteData(1, end, message))
	}
}

// Clients that do nothing keep no server from stopping.
func TestStopWaitsForNobodyIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s := start(t, false)
	for _, i := range idle {
		t.Run(i.name, func(t *testing.T) { i.begin(t, s) })
	}
	hold(t.Context()) // the server has all of it
	began := time.Now()
	require.NoError(t, syscall.Kill(s.pid, syscall.SIGTERM))
	<-s.exited
	require.NoError(t, s.exit, s.log.String()) // else something was under way at the end of the grace period
	assert.Less(t, time.Since(began), grace)
}
