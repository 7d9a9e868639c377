package attack

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

const megabyte = 1 << 20

var overHTTP = []attack{
	{"bodies that are declared and not sent", true, func(ctx context.Context, s *server) {
		holdHTTP(ctx, s.http, 64, post("/predict/identity", 64*megabyte)+"{")
	}},
	{"JSON bodies of 64 MB", false, func(ctx context.Context, s *server) {
		body := `{"inputs":{"x":[[` + strings.Repeat("0,", 30*megabyte) + `0]]}}`
		together(6, func(int) { sendHTTP(ctx, s.http, post("/predict/identity", len(body)), body) })
	}},
	{"JSON bodies of empty strings", false, func(ctx context.Context, s *server) {
		body := `{"inputs":{"x":[[` + strings.Repeat(`"",`, 20*megabyte) + `""]]}}`
		together(4, func(int) { sendHTTP(ctx, s.http, post("/predict/words", len(body)), body) })
	}},
	{"JSON bodies of empty lists", false, func(ctx context.Context, s *server) {
		body := `{"inputs":{"x":[` + strings.Repeat(`[],`, 20*megabyte) + `[]]}}`
		together(4, func(int) { sendHTTP(ctx, s.http, post("/predict/identity", len(body)), body) })
	}},
	{"JSON bodies of nothing but brackets", false, func(ctx context.Context, s *server) {
		body := strings.Repeat("[", 60*megabyte)
		together(4, func(int) { sendHTTP(ctx, s.http, post("/predict/identity", len(body)), body) })
	}},
	{"a great many outputs and parameters", false, func(ctx context.Context, s *server) {
		outputs := strings.Repeat(`{"name":"z"},`, 2*megabyte)
		body := `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}],"outputs":[` + outputs + `{"name":"z"}]}`
		together(4, func(int) { sendHTTP(ctx, s.http, post("/v2/models/identity/infer", len(body)), body) })
	}},
	{"gzip bodies that become 64 MB", false, func(ctx context.Context, s *server) {
		body := gzipped(`{"inputs":{"x":[[` + strings.Repeat("0,", 30*megabyte) + `0]]}}`)
		together(16, func(int) {
			sendHTTP(ctx, s.http, post("/predict/identity", len(body), "Content-Encoding: gzip"), body)
		})
	}},
	{"binary tensors of empty strings", false, func(ctx context.Context, s *server) {
		data := strings.Repeat("\x00", 60*megabyte)
		header := fmt.Sprintf(`{"inputs":[{"name":"x","shape":[1,%d],"datatype":"BYTES","parameters":{"binary_data_size":%d}}]}`, len(data)/4, len(data))
		together(4, func(int) {
			sendHTTP(ctx, s.http, post("/v2/models/words/infer", len(header)+len(data), fmt.Sprintf("Inference-Header-Content-Length: %d", len(header))), header+data)
		})
	}},
	{"16 bytes that ask for a gigabyte", false, func(ctx context.Context, s *server) {
		body := `{"inputs":{"shape":[16384,16384]}}`
		together(16, func(int) { sendHTTP(ctx, s.http, post("/predict/fill", len(body)), body) })
	}},
	{"responses that nobody reads", false, func(ctx context.Context, s *server) {
		body := `{"inputs":{"shape":[1024,8192]}}`
		holdHTTP(ctx, s.http, 32, post("/predict/fill", len(body))+body)
	}},
	{"small requests in one connection whose responses nobody reads", false, func(ctx context.Context, s *server) {
		body := `{"inputs":{"shape":[16,8192]}}`
		holdHTTP(ctx, s.http, 16, strings.Repeat(post("/predict/fill", len(body))+body, 200))
	}},
	{"chunks without an end", false, func(ctx context.Context, s *server) {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", megabyte, strings.Repeat("[", megabyte))
		together(8, func(int) {
			sendHTTP(ctx, s.http, "POST /predict/identity HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", strings.Repeat(chunk, 80))
		})
	}},
	{"bodies of strangers", true, func(ctx context.Context, s *server) {
		body := strings.Repeat("[", 60*megabyte)
		paths := []string{"/predict/identity", "/healthz", "/readyz", "/nothing"}
		together(32, func(i int) { sendHTTP(ctx, s.http, post(paths[i%len(paths)], len(body)), body) })
	}},
	{"bodies of the index that do not end", false, func(ctx context.Context, s *server) {
		body := `{"ready":"` + strings.Repeat("x", megabyte-100)
		s.bothHTTP(func(address string) { holdHTTP(ctx, address, 900, post("/v2/repository/index", 2*megabyte)+body) })
	}},
	{"headers without an end", true, func(ctx context.Context, s *server) {
		headers := "POST /predict HTTP/1.1\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 1000)
		holdHTTP(ctx, s.http, 64, headers)
	}},
	{"thousands of connections", true, func(ctx context.Context, s *server) {
		s.bothHTTP(func(address string) { holdHTTP(ctx, address, 1500, "GET /healthz HTTP/1.1\r\n") })
	}},
}

// bothHTTP attacks the two ports that serve REST at once.
func (s *server) bothHTTP(attack func(address string)) {
	addresses := []string{s.http, s.admin}
	together(len(addresses), func(i int) { attack(addresses[i]) })
}

func post(path string, length int, headers ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n",
		path, length, strings.Join(append(headers, ""), "\r\n"))
}

func gzipped(text string) string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// sendHTTP sends a request and reads its response.
func sendHTTP(ctx context.Context, address, head, body string) {
	c, err := dial(ctx, address)
	if err != nil {
		return
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	go func() { _, _ = io.WriteString(c, head+body) }()
	_, _ = io.Copy(io.Discard, io.LimitReader(c, 1))
}

// holdHTTP sends the same on many connections and keeps them until the attack ends.
func holdHTTP(ctx context.Context, address string, connections int, text string) {
	var all []net.Conn
	var mu sync.Mutex
	together(connections, func(int) {
		c, err := dial(ctx, address)
		if err != nil {
			return
		}
		deadline, _ := ctx.Deadline()
		_ = c.SetDeadline(deadline)
		_, _ = io.WriteString(c, text)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, c)
	})
	hold(ctx)
	for _, c := range all {
		_ = c.Close()
	}
}
