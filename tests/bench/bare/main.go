// Bare runs a model in a loop with nothing around it: ONNX Runtime itself, the
// limit of what a server can do. It prints how many runs it made a second.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"slipway/server/codec"
	"slipway/server/onnx"
	"slipway/server/tensor"
)

type bare struct {
	Library    string        `help:"ONNX Runtime's shared library." required:""`
	Model      string        `help:"The ONNX file." required:""`
	Data       string        `help:"File with the infer request as JSON." required:""`
	Threads    int           `help:"Threads of one run." default:"1"`
	Goroutines int           `help:"Loops at once." default:"1"`
	Warmup     time.Duration `default:"500ms"`
	Duration   time.Duration `default:"3s"`
	Response   string        `help:"Write ONNX Runtime's outputs to this file as an inference response, and measure nothing."`
}

// result is what is printed, as JSON.
type result struct {
	Runs    uint64  `json:"runs"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"rate"` // runs a second
}

func main() {
	var b bare
	kong.Parse(&b, kong.Name("bare"))
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func (b bare) run() (err error) {
	if err := onnx.Init(b.Library); err != nil {
		return err
	}
	session, err := onnx.Open(b.Model, onnx.Options{IntraOpThreads: b.Threads})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	inputs, err := b.inputs(session)
	if err != nil {
		return err
	}
	if b.Response != "" {
		return b.respond(session, inputs)
	}
	if _, err := loop(session, inputs, b.Goroutines, b.Warmup); err != nil {
		return err
	}
	measured, err := loop(session, inputs, b.Goroutines, b.Duration)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(measured)
}

// inputs reads the request, in the model's own order.
func (b bare) inputs(session *onnx.Session) ([]*tensor.Tensor, error) {
	body, err := os.ReadFile(b.Data)
	if err != nil {
		return nil, err
	}
	request, err := codec.DecodeOIP(body, codec.Signature{Inputs: session.Inputs()})
	if err != nil {
		return nil, err
	}
	given := map[string]*tensor.Tensor{}
	for _, in := range request.Inputs {
		given[in.Name] = in.Value.(*tensor.Tensor)
	}
	inputs := make([]*tensor.Tensor, 0, len(given))
	for _, spec := range session.Inputs() {
		if given[spec.Name] == nil {
			return nil, fmt.Errorf("the request lacks input %q", spec.Name)
		}
		inputs = append(inputs, given[spec.Name])
	}
	return inputs, nil
}

func (b bare) respond(session *onnx.Session, inputs []*tensor.Tensor) error {
	outputs, err := session.Run(context.Background(), inputs, nil)
	if err != nil {
		return err
	}
	body, err := codec.Append(nil, &codec.Response{Form: codec.OIP, Outputs: outputs})
	if err != nil {
		return err
	}
	return os.WriteFile(b.Response, body, 0o644)
}

// loop runs the model in so many goroutines for a while.
func loop(session *onnx.Session, inputs []*tensor.Tensor, goroutines int, duration time.Duration) (result, error) {
	var runs atomic.Uint64
	var loops sync.WaitGroup
	failed := make([]error, goroutines)
	began := time.Now()
	for i := range goroutines {
		loops.Go(func() {
			for time.Since(began) < duration && failed[i] == nil {
				_, failed[i] = session.Run(context.Background(), inputs, nil)
				runs.Add(1)
			}
		})
	}
	loops.Wait()
	took := time.Since(began).Seconds()
	return result{Runs: runs.Load(), Seconds: took, Rate: float64(runs.Load()) / took}, errors.Join(failed...)
}
