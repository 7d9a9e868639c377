package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"slipway/server/codec"
	"slipway/server/golden"
)

type predictCommand struct {
	URL       string        `help:"The server, such as http://127.0.0.1:8080." default:"http://127.0.0.1:8080"`
	Model     string        `help:"The model; empty means the server's default one, with --golden all of them."`
	Data      string        `help:"The body as JSON, or @FILE." xor:"body" required:""`
	Synthetic bool          `help:"Send zeros in the shape of the model's metadata." xor:"body" required:""`
	Golden    bool          `help:"Replay the golden answers of every version that is ready; send zeros to those without any." xor:"body" required:""`
	AdminURL  string        `help:"The server's port for administration, which serves the golden answers." default:"http://127.0.0.1:9090"`
	Record    string        `help:"Append the request, in the form of the Open Inference Protocol, and its response to a golden.ndjson." type:"path" placeholder:"FILE"`
	Absolute  float64       `help:"With --record, the tolerance of a number." default:"1e-5"`
	Relative  float64       `help:"With --record, the tolerance on top of it, as a part of the number." default:"1e-4"`
	Timeout   time.Duration `help:"Longest wait for a response." default:"10s"`
	KeyFile   string        `help:"File that holds the API key; else $SLIPWAY_API_KEY." type:"path" placeholder:"FILE"`
}

// Run prints the server's response.
func (p predictCommand) Run() error {
	ctx := context.Background()
	key, err := apiKey(p.KeyFile)
	if err != nil {
		return err
	}
	client := predictClient{url: strings.TrimSuffix(p.URL, "/"), key: key, timeout: p.Timeout}
	if p.Golden {
		if p.Record != "" {
			return errors.New("--golden and --record contradict each other: record with --data or --synthetic")
		}
		admin := predictClient{url: strings.TrimSuffix(p.AdminURL, "/"), key: key, timeout: p.Timeout}
		return replay{client, admin, os.Stdout}.all(ctx, p.Model)
	}
	response, err := p.send(ctx, client)
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(response))
	return err
}

// send sends the request and records the response, if the flags say so.
func (p predictCommand) send(ctx context.Context, client predictClient) ([]byte, error) {
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	path := strings.TrimSuffix("/predict/"+url.PathEscape(p.Model), "/")
	if p.Synthetic || p.Record != "" {
		model, err := client.modelOr(ctx, p.Model)
		if err != nil {
			return nil, err
		}
		path = "/v2/models/" + url.PathEscape(model)
		if p.Synthetic {
			if body, err = client.zeros(ctx, path); err != nil {
				return nil, err
			}
		}
		path += "/infer"
	}
	response, err := client.do(ctx, http.MethodPost, path, body)
	if err != nil || p.Record == "" {
		return response, err
	}
	by := client.recorder(ctx, strings.TrimSuffix(path, "/infer"))
	return response, record(p.Record, body, response, golden.Tolerance{Absolute: p.Absolute, Relative: p.Relative}, by)
}

func (p predictCommand) body() ([]byte, error) {
	file, isFile := strings.CutPrefix(p.Data, "@")
	if !isFile {
		return []byte(p.Data), nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --data: %w", err)
	}
	return body, nil
}

// apiKey reads the key that a file holds, or with no file that of the environment.
func apiKey(file string) (string, error) {
	if file == "" {
		return os.Getenv("SLIPWAY_API_KEY"), nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read --key-file: %w", err)
	}
	return strings.TrimSpace(string(body)), nil
}

// record appends a golden line to the file at path.
func record(path string, request, response []byte, t golden.Tolerance, by golden.Recorded) (err error) {
	line := golden.AppendLine(nil, request, response, t, by)
	if _, err := golden.ParseLine(line); err != nil {
		return fmt.Errorf("record the response: %w", err)
	}
	if _, err := codec.DecodeResponse(response, nil); err != nil {
		return fmt.Errorf("record the response: %w", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("record the response: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// An editor may have left the last line without its end.
	last := make([]byte, 1)
	if end, err := file.Seek(0, io.SeekEnd); err == nil && end > 0 {
		if _, err := file.ReadAt(last, end-1); err == nil && last[0] != '\n' {
			line = append([]byte("\n"), line...)
		}
	}
	_, err = file.Write(line)
	return err
}
