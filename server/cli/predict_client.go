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
	"strings"
	"time"
)

// predictClient speaks to one server.
type predictClient struct {
	url, key string
	timeout  time.Duration // of each answer
}

// refusedError is an answer other than 200.
type refusedError struct {
	code         int
	status, body string
}

func (e *refusedError) Error() string { return e.status + ": " + cmp.Or(e.body, "no body") }

// modelOr is the model, or the only one there is.
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
		return "", fmt.Errorf("the server has models %s; choose one with --model", strings.Join(list.Models, ", "))
	}
	return list.Models[0], nil
}

// zeros is a question of zeros for the model whose metadata is at path.
func (c predictClient) zeros(ctx context.Context, path string) ([]byte, error) {
	body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	var metadata struct{ Inputs []syntheticInput }
	if err := json.Unmarshal(body, &metadata); err != nil {
		return nil, fmt.Errorf("read the metadata at %s: %w", path, err)
	}
	for i := range metadata.Inputs {
		metadata.Inputs[i].fill()
	}
	return json.Marshal(map[string]any{"inputs": metadata.Inputs})
}

// syntheticInput is an input of the metadata, and with data one of a question.
type syntheticInput struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"`
	Shape    []int64 `json:"shape"`
	Data     []any   `json:"data"`
}

func (s *syntheticInput) fill() {
	count := int64(1)
	for i, d := range s.Shape {
		s.Shape[i] = max(d, 1)
		count *= s.Shape[i]
	}
	var zero any = 0
	switch s.Datatype {
	case "BOOL":
		zero = false
	case "BYTES":
		zero = ""
	}
	s.Data = make([]any, count)
	for i := range s.Data {
		s.Data[i] = zero
	}
}

func (c predictClient) do(ctx context.Context, method, path string, body []byte) (answer []byte, err error) {
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
	if answer, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, &refusedError{response.StatusCode, response.Status, strings.TrimSpace(string(answer))}
	}
	return answer, nil
}
