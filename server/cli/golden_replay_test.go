package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/golden"
)

const (
	goldenResponse = `{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[2],"data":[0.5,"NaN"]},` +
		`{"name":"z","datatype":"BYTES","shape":[1],"parameters":{"content_type":"json"},"data":["{\"1\":0.25,\"0\":1}"]}]}`
	goldenRequest = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[7]}]}`
)

// fakeServer returns a server of the models good and plain, and its administration.
func fakeServer(t *testing.T, goldenFile string) (server, admin predictClient) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/repository/index", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"name":"good","version":"2","state":"READY"},{"name":"good","version":"3","state":"UNAVAILABLE","reason":"corrupt"},{"name":"plain","version":"1","state":"READY"}]`)
	})
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"models":["good"]}`) })
	metadata := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"name":"plain","inputs":[{"name":"x","datatype":"BYTES","shape":[-1,2]}]}`)
	}
	config := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"name":"good","parameters":{"intra_op_thread_count":{"string_value":"4"},"runtime_version":{"string_value":"R 2"}}}`)
	}
	mux.HandleFunc("GET /v2/models/good/config", config)
	mux.HandleFunc("GET /v2/models/good/versions/2/config", config)
	mux.HandleFunc("GET /v2/models/plain/versions/1", metadata)
	mux.HandleFunc("GET /v2/models/good", metadata)
	infer := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if assert.NoError(t, err) && assert.Equal(t, "Bearer s3cret", r.Header.Get("Authorization")) && !strings.Contains(string(body), `"shape":[1`) {
			http.Error(w, "wrong request: "+string(body), http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, goldenResponse)
	}
	mux.HandleFunc("POST /v2/models/good/infer", infer)
	mux.HandleFunc("POST /v2/models/good/versions/2/infer", infer)
	mux.HandleFunc("POST /v2/models/plain/versions/1/infer", infer)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)

	administration := http.NewServeMux()
	administration.HandleFunc("GET /golden/good/2", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, goldenFile) })
	a := httptest.NewServer(administration)
	t.Cleanup(a.Close)
	return predictClient{s.URL, "s3cret", time.Minute}, predictClient{url: a.URL, timeout: time.Minute}
}

func goldenLine(response string) string {
	return string(golden.AppendLine(nil, []byte(goldenRequest), []byte(response), golden.DefaultTolerance, golden.Recorded{}))
}

func TestReplay(t *testing.T) {
	server, admin := fakeServer(t, goldenLine(goldenResponse)+goldenLine(goldenResponse))
	var out strings.Builder
	require.NoError(t, replay{server, admin, &out}.all(t.Context(), ""))
	assert.Equal(t, "good/2: 2 golden answers reproduced\nplain/1: no golden answers; responded to a request of zeros\n", out.String())

	out.Reset()
	require.NoError(t, replay{server, admin, &out}.all(t.Context(), "plain"))
	assert.NotContains(t, out.String(), "good")
	err := replay{server, admin, &out}.all(t.Context(), "absent")
	assert.ErrorContains(t, err, `no version of model "absent" is ready`)
}

func TestReplayNamesTheFirstDifference(t *testing.T) {
	for change, want := range map[string]string{
		`[0.5,"NaN"]→[0.7,"NaN"]`: `golden answer 2: output "y"[0]: got 0.5, want 0.7 (off by 0.2, tolerance 1e-05 + 0.0001 × |want|)`,
		`0.25→0.5`:                `golden answer 2: output "z"[0]["1"]: got 0.25, want 0.5`,
		`"outputs"→"output"`:      `golden answer 2: response: unknown key "output"`,
	} {
		from, to, _ := strings.Cut(change, "→")
		server, admin := fakeServer(t, goldenLine(goldenResponse)+goldenLine(strings.Replace(goldenResponse, from, to, 1)))
		var out strings.Builder
		err := replay{server, admin, &out}.all(t.Context(), "")
		require.ErrorContains(t, err, "good/2: "+want)
		assert.Contains(t, out.String(), "plain/1", "the others are replayed all the same")
	}
	other := golden.AppendLine(nil, []byte(goldenRequest), []byte(strings.Replace(goldenResponse, "0.25", "0.5", 1)),
		golden.DefaultTolerance, golden.Recorded{Runtime: "R 2", Threads: 1})
	server, admin := fakeServer(t, string(other))
	err := replay{server, admin, io.Discard}.all(t.Context(), "good")
	require.ErrorContains(t, err, "recorded with R 2 and 1 thread and is run with R 2 and 4 threads")

	server, _ = fakeServer(t, "")
	closed := predictClient{url: "http://127.0.0.1:1", timeout: time.Minute}
	err = replay{server, closed, io.Discard}.all(t.Context(), "good")
	assert.ErrorContains(t, err, "127.0.0.1:1", "an administration that does not respond is not a model without golden answers")
}

func TestRecord(t *testing.T) {
	server, _ := fakeServer(t, "")
	path := filepath.Join(t.TempDir(), "golden.ndjson")
	send := func(p predictCommand) error {
		p.Record, p.Absolute, p.Relative = path, .5, 0
		_, err := p.send(context.Background(), server)
		return err
	}
	require.NoError(t, send(predictCommand{Data: goldenRequest}))
	require.NoError(t, os.Truncate(path, int64(len(read(t, path))-1)))
	require.NoError(t, send(predictCommand{Model: "good", Synthetic: true}))
	lines := golden.Lines([]byte(read(t, path)))
	require.Len(t, lines, 2)
	for i, request := range []string{goldenRequest, `{"inputs":[{"name":"x","datatype":"BYTES","shape":[1,2],"data":["",""]}]}`} {
		line, err := golden.ParseLine(lines[i])
		require.NoError(t, err)
		assert.JSONEq(t, request, string(line.Request))
		assert.JSONEq(t, goldenResponse, string(line.Response))
		assert.Equal(t, golden.Tolerance{Absolute: .5}, line.Tolerance)
		assert.Equal(t, golden.Recorded{Runtime: "R 2", Threads: 4}, line.Recorded)
	}
	require.ErrorContains(t, send(predictCommand{Data: `{"instances":[]}`}), "wrong request")
	assert.Len(t, golden.Lines([]byte(read(t, path))), 2, "what was refused is not recorded")
	assert.ErrorContains(t, predictCommand{Golden: true, Record: path}.Run(), "contradict")
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
