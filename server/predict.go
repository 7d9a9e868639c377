package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

type predictCommand struct {
	URL       string        `help:"The server, such as http://127.0.0.1:8080." default:"http://127.0.0.1:8080"`
	Model     string        `help:"The model; empty means the server's default one."`
	Data      string        `help:"The body as JSON, or @FILE." xor:"body" required:""`
	Synthetic bool          `help:"Ask with zeros in the shape that the model's metadata gives." xor:"body" required:""`
	Timeout   time.Duration `help:"Longest wait." default:"10s"`
	KeyFile   string        `help:"File that holds the API key; else $SLIPWAY_API_KEY." type:"path" placeholder:"FILE"`
}

// Run prints the server's answer.
func (p predictCommand) Run() error {
	ctx, cancel := context.WithTimeout(context.Background(), p.Timeout)
	defer cancel()
	answer, err := p.ask(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(answer))
	return err
}

func (p predictCommand) ask(ctx context.Context) ([]byte, error) {
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	client := predictClient{url: strings.TrimSuffix(p.URL, "/"), key: key}
	if p.Synthetic {
		return client.synthetic(ctx, p.Model)
	}
	body := []byte(p.Data)
	if file, isFile := strings.CutPrefix(p.Data, "@"); isFile {
		if body, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("read --data: %w", err)
		}
	}
	return client.do(ctx, http.MethodPost, strings.TrimSuffix("/predict/"+url.PathEscape(p.Model), "/"), body)
}

func (p predictCommand) key() (string, error) {
	if p.KeyFile == "" {
		return os.Getenv("SLIPWAY_API_KEY"), nil
	}
	body, err := os.ReadFile(p.KeyFile)
	if err != nil {
		return "", fmt.Errorf("read --key-file: %w", err)
	}
	return strings.TrimSpace(string(body)), nil
}

// predictClient speaks to one server.
type predictClient struct{ url, key string }

// synthetic asks the model, or the only one there is, with zeros.
func (c predictClient) synthetic(ctx context.Context, model string) ([]byte, error) {
	model, err := c.modelOr(ctx, model)
	if err != nil {
		return nil, err
	}
	path := "/v2/models/" + url.PathEscape(model)
	body, err := c.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	var metadata struct{ Inputs []syntheticInput }
	if err := json.Unmarshal(body, &metadata); err != nil {
		return nil, fmt.Errorf("read the metadata of model %q: %w", model, err)
	}
	for i := range metadata.Inputs {
		metadata.Inputs[i].fill()
	}
	question, err := json.Marshal(map[string]any{"inputs": metadata.Inputs})
	if err != nil {
		return nil, err
	}
	return c.do(ctx, http.MethodPost, path+"/infer", question)
}

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
		return nil, fmt.Errorf("%s: %s", response.Status, cmp.Or(strings.TrimSpace(string(answer)), "no body"))
	}
	return answer, nil
}
