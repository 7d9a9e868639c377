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

	"slipway/server/codec"
	"slipway/server/tensor"
)

const headerLength = "Inference-Header-Content-Length"

// path returns the path of the model under the server's URL, which may have a path of its own.
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

func (t Target) prepareREST(r *codec.Request, expected []tensor.Named) (Dial, error) {
	address, secure, err := t.address()
	if err != nil {
		return nil, err
	}
	var body []byte
	header := 0
	if t.Protocol == RESTBinary {
		body, header = codec.AppendBinaryRequest(nil, withParameter(r, "binary_data_output", true))
	} else {
		body = codec.AppendRequest(nil, r)
	}
	request := t.request(address, body, header)
	return func() (Caller, error) {
		c := &restCaller{address: address, secure: secure, timeout: t.Timeout, request: request}
		c.checker = checker{expected: expected, decode: func(response []byte) ([]tensor.Named, error) {
			r, err := codec.DecodeServerResponse(response, c.jsonSize)
			if err != nil {
				return nil, err
			}
			return r.Outputs, nil
		}}
		return c, nil // the first Call connects
	}, nil
}

// request returns headers and body as they are sent.
func (t Target) request(address string, body []byte, header int) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "POST %s/infer HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", t.path(), address, len(body))
	if header > 0 {
		fmt.Fprintf(&text, "Content-Type: application/octet-stream\r\n%s: %d\r\n", headerLength, header)
	} else {
		text.WriteString("Content-Type: application/json\r\n")
	}
	if t.Key != "" {
		fmt.Fprintf(&text, "Authorization: Bearer %s\r\n", t.Key)
	}
	if t.Deadline > 0 {
		fmt.Fprintf(&text, "Slipway-Timeout: %s\r\n", t.Deadline)
	}
	text.WriteString("\r\n")
	return append([]byte(text.String()), body...)
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
	return codec.DecodeMetadata(body)
}

// detail returns the text of an error body, cut to the length of a line.
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

// httpStatus returns a status, without an allocation for frequent ones.
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
