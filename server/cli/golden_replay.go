package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"slipway/server/codec"
	"slipway/server/golden"
)

// replay compares the responses of a server with the golden answers of its versions.
type replay struct {
	server, admin predictClient
	out           io.Writer
}

// indexEntry is an element of the repository index.
type indexEntry struct{ Name, Version, State, Reason string }

// all replays every version that is ready, of the one model or of all. The error
// names where each of them differs first.
func (r replay) all(ctx context.Context, model string) error {
	body, err := r.server.do(ctx, http.MethodPost, "/v2/repository/index", []byte("{}"))
	if err != nil {
		return err
	}
	var index []indexEntry
	if err := json.Unmarshal(body, &index); err != nil {
		return fmt.Errorf("read the repository index: %w", err)
	}
	var failures []error
	replayed := false
	for _, entry := range index {
		if entry.State != "READY" || model != "" && entry.Name != model {
			continue
		}
		replayed = true
		result, err := r.version(ctx, entry)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s/%s: %w", entry.Name, entry.Version, err))
			continue
		}
		fmt.Fprintf(r.out, "%s/%s: %s\n", entry.Name, entry.Version, result)
	}
	if !replayed {
		return fmt.Errorf("no version%s is ready; the index is %s", ofModel(model), body)
	}
	return errors.Join(failures...)
}

func ofModel(model string) string {
	if model == "" {
		return ""
	}
	return fmt.Sprintf(" of model %q", model)
}

// version replays one version and returns what it showed.
func (r replay) version(ctx context.Context, v indexEntry) (string, error) {
	path := "/v2/models/" + url.PathEscape(v.Name) + "/versions/" + url.PathEscape(v.Version)
	file, err := r.admin.do(ctx, http.MethodGet, "/golden/"+url.PathEscape(v.Name)+"/"+url.PathEscape(v.Version), nil)
	if status, ok := errors.AsType[*statusError](err); ok && status.code == http.StatusNotFound {
		request, err := r.server.zeros(ctx, path)
		if err == nil {
			_, err = r.server.do(ctx, http.MethodPost, path+"/infer", request)
		}
		return "no golden answers; responded to a request of zeros", err
	}
	if err != nil {
		return "", err
	}
	lines := golden.Lines(file)
	for i, text := range lines {
		if err := r.line(ctx, path, text); err != nil {
			return "", fmt.Errorf("golden answer %d: %w", i+1, err)
		}
	}
	return fmt.Sprintf("%d golden %s reproduced", len(lines), plural(len(lines), "answer")), nil
}

func (r replay) line(ctx context.Context, path string, text []byte) error {
	line, err := golden.ParseLine(text)
	if err != nil {
		return err
	}
	want, err := codec.DecodeResponse(line.Response, nil)
	if err != nil {
		return fmt.Errorf("response: %w", err)
	}
	body, err := r.server.do(ctx, http.MethodPost, path+"/infer", line.Request)
	if err != nil {
		return err
	}
	got, err := codec.DecodeServerResponse(body, -1)
	if err != nil {
		return fmt.Errorf("read the server's response: %w", err)
	}
	if err = golden.Equal(got.Outputs, want.Outputs, line.Tolerance); err == nil {
		return nil
	}
	if other := line.Recorded.OtherThan(r.server.recorder(ctx, path)); other != "" {
		err = fmt.Errorf("%w; %s", err, other)
	}
	return err
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
