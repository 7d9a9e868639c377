package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"slipway/server/tensor"
)

const headerLength = "Inference-Header-Content-Length"

// path is the model's under the server's URL, which may have a path of its own.
func (t Target) path() string {
	path := "/v2/models/" + url.PathEscape(t.Model)
	if t.Version != "" {
		path += "/versions/" + url.PathEscape(t.Version)
	}
	if u, err := url.Parse(t.URL); err == nil && u.Host != "" {
		return strings.TrimSuffix(u.EscapedPath(), "/") + path
	}
	return path
}

func (t Target) prepareREST(q *Question, expected *Expected) (Dial, error) {
	address, secure, err := t.address()
	if err != nil {
		return nil, err
	}
	var body []byte
	header := 0
	if t.Protocol == RESTBinary {
		body, header, err = encodeBinary(q)
	} else {
		body, err = q.JSON()
	}
	if err != nil {
		return nil, err
	}
	request := t.request(address, body, header)
	return func() (Caller, error) {
		c := &restCaller{address: address, secure: secure, timeout: t.Timeout, request: request}
		c.checker = checker{expected: expected, decode: func(answer []byte) (map[string]*tensor.Tensor, error) {
			return readBinaryAnswer(answer, c.header)
		}}
		return c, nil // the first Call connects
	}, nil
}

// request is head and body as they go over the wire.
func (t Target) request(address string, body []byte, header int) []byte {
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s/infer HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", t.path(), address, len(body))
	if header > 0 {
		fmt.Fprintf(&head, "Content-Type: application/octet-stream\r\n%s: %d\r\n", headerLength, header)
	} else {
		head.WriteString("Content-Type: application/json\r\n")
	}
	if t.Key != "" {
		fmt.Fprintf(&head, "Authorization: Bearer %s\r\n", t.Key)
	}
	if t.Deadline > 0 {
		fmt.Fprintf(&head, "Slipway-Timeout: %s\r\n", t.Deadline)
	}
	head.WriteString("\r\n")
	return append([]byte(head.String()), body...)
}

func (t Target) inputsREST(ctx context.Context) (specs []tensor.Spec, err error) {
	address, secure, err := t.address()
	if err != nil {
		return nil, err
	}
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+address+t.path(), http.NoBody)
	if err != nil {
		return nil, err
	}
	if t.Key != "" {
		request.Header.Set("Authorization", "Bearer "+t.Key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", response.Status, detail(body))
	}
	var metadata struct{ Inputs []tensorJSON }
	if err := json.Unmarshal(body, &metadata); err != nil {
		return nil, err
	}
	specs = make([]tensor.Spec, len(metadata.Inputs))
	for i, in := range metadata.Inputs {
		if specs[i], err = spec(in.Name, in.Datatype, in.Shape); err != nil {
			return nil, err
		}
	}
	return specs, nil
}

// detail is what an error body says, cut to a line's length.
func detail(body []byte) string {
	var given struct {
		Error string `json:"error"`
	}
	text := strings.TrimSpace(string(body))
	if json.Unmarshal(body, &given) == nil && given.Error != "" {
		text = given.Error
	}
	const longest = 300
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	if text == "" {
		return "no body"
	}
	return text
}

// httpStatus is a status without an allocation for those that come often.
func httpStatus(code int) string {
	switch code {
	case http.StatusOK:
		return StatusOK
	case http.StatusTooManyRequests:
		return "429"
	case http.StatusServiceUnavailable:
		return "503"
	}
	return strconv.Itoa(code)
}
