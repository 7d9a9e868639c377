package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"slipway/server/bench"
	"slipway/server/codec"
	"slipway/server/golden"
	"slipway/server/names"
)

// predictClient calls one server.
type predictClient struct {
	url, key string
	timeout  time.Duration // of each call
}

// statusError is a response other than 200.
type statusError struct {
	code         int
	status, body string
}

func (e *statusError) Error() string { return e.status + ": " + cmp.Or(e.body, "no body") }

// modelOr returns the model if it has a name, else the only model of the server.
func (c predictClient) modelOr(ctx context.Context, model string) (string, error) {
	if model != "" {
		return model, nil
	}
	body, err := c.do(ctx, http.MethodGet, "/v1/models", nil)
	if err != nil {
		return "", err
	}
	var list struct{ Models []string }
	if err := json.Unmarshal(body, &list); err != nil {
		return "", fmt.Errorf("read the list of models: %w", err)
	}
	if len(list.Models) != 1 {
		return "", fmt.Errorf("the server has models %s; choose one with --model", names.List("", list.Models))
	}
	return list.Models[0], nil
}

// zeros returns a request of zeros for the model whose metadata is at path.
func (c predictClient) zeros(ctx context.Context, path string) ([]byte, error) {
	body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	inputs, err := codec.DecodeMetadata(body)
	if err != nil {
		return nil, fmt.Errorf("read the metadata at %s: %w", path, err)
	}
	request, err := bench.Synthetic{Zeros: true}.Request(inputs)
	if err != nil {
		return nil, err
	}
	return codec.AppendRequest(nil, request), nil
}

// recorder returns what the responses of the model or version at path come from, as far
// as its server says.
func (c predictClient) recorder(ctx context.Context, path string) (r golden.Recorded) {
	body, err := c.do(ctx, http.MethodGet, path+"/config", nil)
	if err != nil {
		return r
	}
	var config struct {
		Parameters map[string]struct {
			Value string `json:"string_value"`
		}
	}
	if json.Unmarshal(body, &config) == nil {
		r.Runtime = config.Parameters["runtime_version"].Value
		r.Threads, _ = strconv.Atoi(config.Parameters["intra_op_thread_count"].Value)
	}
	return r
}

// do calls the server and returns the body of its response.
func (c predictClient) do(ctx context.Context, method, path string, body []byte) (content []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s %s%s: %w", method, c.url, path, err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if content, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{response.StatusCode, response.Status, strings.TrimSpace(string(content))}
	}
	return content, nil
}
