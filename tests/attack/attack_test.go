package attack

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"slipway/server/oip"
)

// attack is one kind of attack. It ends when its context does, or before.
type attack struct {
	name string
	// stranger is that it needs no key: it is tried with keys too, without one.
	stranger bool
	run      func(ctx context.Context, s *server)
}

const (
	// most is how long an attack may take, held how long it keeps what it has opened
	// when all is sent.
	most = 10 * time.Second
	held = time.Second
	// settled is what the process may hold when the attacks are over.
	settled = 256 << 20
)

// The server lives, serves a good client beside each attack, and gives the memory
// back.
func TestAttacks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, keys := range []bool{false, true} {
		t.Run(fmt.Sprintf("keys=%v", keys), func(t *testing.T) {
			s := start(t, keys)
			for _, a := range append(overHTTP, overGRPC...) {
				if keys && !a.stranger {
					continue
				}
				t.Run(a.name, func(t *testing.T) { s.endure(t, a) })
				require.False(t, s.ended(), "%s ended the server: %s", a.name, s.log)
			}
			assert.Eventually(t, func() bool { return s.resident(t) < settled }, time.Minute, 100*time.Millisecond,
				"the memory is given back")
			if t.Failed() {
				t.Log(s.metrics())
			}
			assert.Less(t, s.peak(t), int64(limit))
			t.Logf("memory: %d MiB at most, %d MiB at the end", s.peak(t)>>20, s.resident(t)>>20)
		})
	}
}

// endure runs an attack beside a good client over both protocols.
func (s *server) endure(t *testing.T, a attack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return good.DialContext(ctx, "tcp", address)
		}))
	require.NoError(t, err)
	defer func() { assert.NoError(t, conn.Close()) }()

	var attacking sync.WaitGroup
	ended := make(chan struct{})
	attacking.Go(func() {
		defer close(ended)
		a.run(ctx, s)
	})
	served, began := 0, time.Now()
	for over := false; !over; served++ {
		select {
		case <-ended:
			over = true // and once more after it
		default:
		}
		for protocol, call := range map[string]func(*testing.T) error{
			"HTTP": s.callHTTP, "gRPC": func(t *testing.T) error { return s.callGRPC(t, conn) },
		} {
			if err := call(t); err != nil {
				t.Fatalf("the good client over %s: %v\n%.2000s", protocol, err, tail(s.log.String()))
			}
		}
	}
	attacking.Wait()
	t.Logf("%d good predictions of each protocol in %.1f s; %d MiB now, %d MiB at most", served, time.Since(began).Seconds(),
		s.resident(t)>>20, s.peak(t)>>20)
}

func tail(text string) string { return text[max(0, len(text)-2000):] }

// patience is how long a good client waits. The machine is busy with the attack.
const patience = 20 * time.Second

// good dials from an address that no attack comes from.
var good = &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}

var client = &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: good.DialContext}}

func (s *server) callHTTP(t *testing.T) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.http+"/predict/identity", strings.NewReader(`{"inputs":{"x":[[1,2]]}}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		r.Header.Set("Authorization", "Bearer "+s.key)
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %w", response.Status, body, err)
	}
	return nil
}

func (s *server) callGRPC(t *testing.T, conn *grpc.ClientConn) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if s.key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.key)
	}
	_, err := oip.NewGRPCInferenceServiceClient(conn).ModelInfer(ctx, &oip.ModelInferRequest{
		ModelName: "identity",
		Inputs: []*oip.ModelInferRequest_InferInputTensor{{
			Name: "x", Datatype: "FP32", Shape: []int64{1, 2}, Contents: &oip.InferTensorContents{Fp32Contents: []float32{1, 2}},
		}},
	}, grpc.WaitForReady(true))
	return err
}

// metrics returns the series of memory.
func (s *server) metrics() string {
	r, err := http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	var lines strings.Builder
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "slipway_mem") || strings.HasPrefix(line, "slipway_conn") || strings.HasPrefix(line, "go_") || strings.HasPrefix(line, "slipway_model_mem") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// hold waits while the server has what it was sent.
func hold(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(held):
	}
}

// together runs a function n times at once.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}
