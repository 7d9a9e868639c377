package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"slipway/server/bench"
	"slipway/server/oip"
	"slipway/server/tensor"
)

// echo is a model over REST whose outputs are its inputs. respond may write the response
// itself, or headers of it.
func echo(respond func(http.ResponseWriter) (done bool)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/models/echo", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"name":"echo","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]},{"name":"text","datatype":"BYTES","shape":[1]}]}`)
	})
	mux.HandleFunc("POST /v2/models/echo/infer", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if respond(w) {
			return
		}
		header := len(body)
		if length := r.Header.Get("Inference-Header-Content-Length"); length != "" {
			header, _ = strconv.Atoi(length)
		}
		var request map[string]json.RawMessage
		if err := json.Unmarshal(body[:header], &request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		head := fmt.Appendf(nil, `{"model_name":"echo","outputs":%s}`, request["inputs"])
		if header < len(body) {
			w.Header().Set("Inference-Header-Content-Length", strconv.Itoa(len(head)))
		}
		if _, err := w.Write(append(head, body[header:]...)); err != nil {
			panic(http.ErrAbortHandler)
		}
	})
	return mux
}

func plain(http.ResponseWriter) bool { return false }

// echoService is the same over gRPC.
type echoService struct {
	oip.UnimplementedGRPCInferenceServiceServer
	typed bool
}

func (echoService) ModelMetadata(context.Context, *oip.ModelMetadataRequest) (*oip.ModelMetadataResponse, error) {
	return &oip.ModelMetadataResponse{Inputs: []*oip.ModelMetadataResponse_TensorMetadata{
		{Name: "x", Datatype: "FP32", Shape: []int64{-1, 2}}, {Name: "text", Datatype: "BYTES", Shape: []int64{1}},
	}}, nil
}

func (s echoService) ModelInfer(ctx context.Context, m *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	switch m.GetModelName() {
	case "busy":
		return nil, status.Error(codes.ResourceExhausted, "come again")
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "locked":
		if given, _ := metadata.FromIncomingContext(ctx); strings.Join(given.Get("authorization"), "") != "Bearer secret" {
			return nil, status.Error(codes.Unauthenticated, "no key")
		}
	}
	response := &oip.ModelInferResponse{RawOutputContents: m.GetRawInputContents()}
	for _, in := range m.GetInputs() {
		out := &oip.ModelInferResponse_InferOutputTensor{Name: in.GetName(), Datatype: in.GetDatatype(), Shape: in.GetShape()}
		if s.typed {
			response.RawOutputContents = nil
			out.Contents = &oip.InferTensorContents{Fp32Contents: []float32{1.5, -2}}
			if in.GetDatatype() == "BYTES" {
				out.Contents = &oip.InferTensorContents{BytesContents: [][]byte{[]byte("größe")}}
			}
		}
		response.Outputs = append(response.Outputs, out)
	}
	return response, nil
}

func startGRPC(t testing.TB, s oip.GRPCInferenceServiceServer) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	oip.RegisterGRPCInferenceServiceServer(server, s)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		assert.NoError(t, <-done)
	})
	return listener.Addr().String()
}

func startREST(t testing.TB, h http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

const (
	request = `{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1.5,-2]]},{"name":"text","shape":[1],"datatype":"BYTES","data":["größe"]}]}`
	right   = `{"model_name":"m","outputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["größe"]},{"name":"x","shape":[1,2],"datatype":"FP32","data":[1.5001,-2]}]}`
)

func call(t *testing.T, target bench.Target, expectedBody string) bench.Outcome {
	t.Helper()
	if target.Timeout == 0 {
		target.Timeout = 10 * time.Second
	}
	r, err := bench.ReadRequest([]byte(request))
	require.NoError(t, err)
	expected, err := bench.ReadExpected([]byte(expectedBody))
	require.NoError(t, err)
	dial, err := target.Prepare(r, expected)
	require.NoError(t, err)
	caller, err := dial()
	require.NoError(t, err)
	defer func() { assert.NoError(t, caller.Close()) }()
	first := caller.Call()
	assert.Equal(t, first.Status, caller.Call().Status, "the second call over the connection")
	return first
}

func TestEveryProtocol(t *testing.T) {
	rest, raw := startREST(t, echo(plain)), startGRPC(t, echoService{})
	typed := startGRPC(t, echoService{typed: true})
	for name, target := range map[string]bench.Target{
		"rest-json":   {URL: rest, Protocol: bench.RESTJSON, Model: "echo"},
		"rest-binary": {URL: rest, Protocol: bench.RESTBinary, Model: "echo"},
		"grpc":        {URL: raw, Protocol: bench.GRPC, Model: "echo"},
		"grpc typed":  {URL: "http://" + typed, Protocol: bench.GRPC, Model: "echo"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, bench.Outcome{Status: bench.StatusOK}, call(t, target, right))

			part := `{"model_name":"m","outputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1.5,-2]}]}`
			assert.Equal(t, bench.StatusOK, call(t, target, part).Status, "nothing is expected of the other output")

			wrong := call(t, target, strings.Replace(right, "1.5001", "1.6", 1))
			assert.Equal(t, bench.StatusWrong, wrong.Status)
			assert.Contains(t, wrong.Detail, `output "x"[0,0]: got 1.5, want 1.6 (off by 0.1, tolerance 0.001 + 0.001 × |want|)`)
			wrong = call(t, target, strings.Replace(right, "größe", "Größe", 1))
			assert.Contains(t, wrong.Detail, `output "text"[0]: got "größe", want "Größe"`)
			wrong = call(t, target, strings.Replace(right, `"text"`, `"label"`, 1))
			assert.Contains(t, wrong.Detail, `output "label": missing`)

			target.Timeout = 10 * time.Second
			specs, err := target.Inputs(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []tensor.Spec{
				{Name: "x", DType: tensor.FP32, Shape: []int64{-1, 2}}, {Name: "text", DType: tensor.Bytes, Shape: []int64{1}},
			}, specs)
		})
	}
}

func TestRESTResponsesOfEveryKind(t *testing.T) {
	for name, test := range map[string]struct {
		respond func(http.ResponseWriter) bool
		want    bench.Outcome
	}{
		"chunked": {func(w http.ResponseWriter) bool {
			w.(http.Flusher).Flush()
			return false
		}, bench.Outcome{Status: bench.StatusOK}},
		"the server ends the connection": {func(w http.ResponseWriter) bool {
			w.Header().Set("Connection", "close")
			return false
		}, bench.Outcome{Status: bench.StatusOK}},
		"continue first": {func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusEarlyHints)
			return false
		}, bench.Outcome{Status: bench.StatusOK}},
		"overloaded": {func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"error":"come again"}`)
			return true
		}, bench.Outcome{Status: "429", Detail: "come again"}},
		"no body": {func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}, bench.Outcome{Status: "500", Detail: "no body"}},
	} {
		t.Run(name, func(t *testing.T) {
			target := bench.Target{URL: startREST(t, echo(test.respond)), Protocol: bench.RESTJSON, Model: "echo"}
			assert.Equal(t, test.want, call(t, target, right))
		})
	}
}

func TestWhatEndsACall(t *testing.T) {
	released := make(chan struct{})
	slow := startREST(t, echo(func(http.ResponseWriter) bool { <-released; return true }))
	defer close(released)
	service := startGRPC(t, echoService{})
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	for name, test := range map[string]struct {
		target bench.Target
		want   string
	}{
		"REST, too slow":     {bench.Target{URL: slow, Protocol: bench.RESTJSON, Model: "echo", Timeout: 50 * time.Millisecond}, bench.StatusTimeout},
		"gRPC, too slow":     {bench.Target{URL: service, Protocol: bench.GRPC, Model: "slow", Timeout: 50 * time.Millisecond}, "DEADLINE_EXCEEDED"},
		"gRPC, overloaded":   {bench.Target{URL: service, Protocol: bench.GRPC, Model: "busy"}, "RESOURCE_EXHAUSTED"},
		"gRPC, no key":       {bench.Target{URL: service, Protocol: bench.GRPC, Model: "locked"}, "UNAUTHENTICATED"},
		"gRPC, with its key": {bench.Target{URL: service, Protocol: bench.GRPC, Model: "locked", Key: "secret"}, bench.StatusOK},
		"REST, nobody there": {bench.Target{URL: "http://" + gone.Addr().String(), Protocol: bench.RESTJSON, Model: "echo"}, bench.StatusBroken},
		"gRPC, nobody there": {bench.Target{URL: gone.Addr().String(), Protocol: bench.GRPC, Model: "echo"}, "UNAVAILABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, test.target, right)
			assert.Equal(t, test.want, got.Status)
			assert.Equal(t, test.want == bench.StatusOK, got.Detail == "", "detail: %q", got.Detail)
		})
	}
}

// A Close from another goroutine ends a call that would have waited.
func TestCloseEndsACall(t *testing.T) {
	began, released := make(chan struct{}), make(chan struct{})
	url := startREST(t, echo(func(http.ResponseWriter) bool { close(began); <-released; return true }))
	defer close(released)
	r, err := bench.ReadRequest([]byte(request))
	require.NoError(t, err)
	dial, err := bench.Target{URL: url, Protocol: bench.RESTJSON, Model: "echo", Timeout: time.Minute}.Prepare(r, nil)
	require.NoError(t, err)
	caller, err := dial()
	require.NoError(t, err)
	ended := make(chan bench.Outcome)
	go func() { ended <- caller.Call() }()
	<-began
	require.NoError(t, caller.Close())
	assert.Equal(t, bench.StatusBroken, (<-ended).Status)
	assert.Equal(t, bench.StatusBroken, caller.Call().Status, "a closed caller stays closed")
}

func TestKeyPathAndDeadlineAreSent(t *testing.T) {
	var path, key, timeout string
	var body []byte
	url := startREST(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, key, timeout = r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Slipway-Timeout")
		body, _ = io.ReadAll(r.Body)
		fmt.Fprint(w, strings.Replace(right, "1.5001", "1.5", 1))
	}))
	target := bench.Target{URL: url + "/serving/", Protocol: bench.RESTJSON, Model: "a b", Version: "3", Key: "secret", Deadline: 250 * time.Millisecond}
	assert.Equal(t, bench.StatusOK, call(t, target, right).Status)
	assert.Equal(t, "/serving/v2/models/a b/versions/3/infer", path)
	assert.Equal(t, "Bearer secret", key)
	assert.Equal(t, "250ms", timeout)
	assert.Contains(t, string(body), `"parameters":{"timeout":250000}`)
}

func TestInvalidAddresses(t *testing.T) {
	r, err := bench.ReadRequest([]byte(request))
	require.NoError(t, err)
	for _, protocol := range []bench.Protocol{bench.RESTJSON, bench.GRPC} {
		for _, url := range []string{"", "localhost", "ftp://host:1", "http://"} {
			_, err := bench.Target{URL: url, Protocol: protocol, Model: "m", Timeout: time.Second}.Prepare(r, nil)
			assert.ErrorContains(t, err, "URL", "%s %q", protocol, url)
		}
		_, err := bench.Target{URL: "localhost:1", Protocol: protocol}.Prepare(r, nil)
		assert.ErrorContains(t, err, "name the model")
	}
}
