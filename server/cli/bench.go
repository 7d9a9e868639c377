package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"slipway/server/bench"
	"slipway/server/codec"
	"slipway/server/tensor"
)

type benchCommand struct {
	URL      string        `help:"The server, such as http://127.0.0.1:8080; for gRPC also host:port." default:"http://127.0.0.1:8080"`
	Protocol string        `help:"How to send requests: rest-json, rest-binary or grpc." enum:"rest-json,rest-binary,grpc" default:"rest-json"`
	Model    string        `help:"The model." required:""`
	Version  string        `name:"model-version" help:"The model's version; empty lets the server choose."`
	Timeout  time.Duration `help:"Longest wait for one response." default:"10s"`
	KeyFile  string        `help:"File that holds the API key; else $SLIPWAY_API_KEY." type:"path" placeholder:"FILE"`

	Data     string        `help:"File with the inference request as JSON; else one is made from the model's metadata." type:"existingfile" placeholder:"FILE"`
	Shape    []string      `help:"Shape of a made input whose metadata leaves dimensions open, such as x:1,3,48,192. May be repeated." placeholder:"NAME:DIMS" sep:"none"`
	Batch    int64         `help:"Open first dimension of the made inputs." default:"1"`
	Fill     string        `help:"Data of the made inputs: random or zeros." enum:"random,zeros" default:"random"`
	Seed     uint64        `help:"Seed of random inputs and arrivals." default:"1"`
	Expect   string        `help:"File with the inference response as JSON that every response must equal, floats to a thousandth." type:"existingfile" placeholder:"FILE"`
	Deadline time.Duration `help:"Have the server respond within this time: sent as the timeout parameter of Slipway and Triton, and as Slipway's header."`

	Concurrency []int         `help:"Closed loop: so many callers, each of which sends again when it has its response." placeholder:"N,…" xor:"load"`
	Rate        []float64     `help:"Open loop: so many requests a second, however fast the responses come." placeholder:"R,…" xor:"load"`
	Arrivals    string        `help:"Spacing of an open loop: constant or poisson." enum:"constant,poisson" default:"poisson"`
	Duration    time.Duration `help:"How long each load is measured." default:"10s"`
	Warmup      time.Duration `help:"How long each load runs before that." default:"2s"`

	CSV  string `name:"csv" help:"Write the points to this file as CSV; - is stdout, instead of the table." type:"path" placeholder:"FILE"`
	JSON string `name:"json" help:"Write the report to this file as JSON; - is stdout, instead of the table." type:"path" placeholder:"FILE"`
	Plot string `help:"Draw throughput and latency into this file, .svg or .png." type:"path" placeholder:"FILE"`
}

// Run measures every load and reports.
func (b benchCommand) Run() error {
	if err := b.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	dial, err := b.prepare(ctx)
	if err != nil {
		return err
	}
	report := bench.Report{URL: b.URL, Protocol: bench.Protocol(b.Protocol), Model: b.Model}
	for _, load := range b.loads() {
		if ctx.Err() != nil {
			break
		}
		point, err := b.measure(ctx, load, dial)
		if err != nil {
			return err
		}
		report.Points = append(report.Points, point)
	}
	return b.write(&report)
}

func (b benchCommand) check() error {
	if b.Duration <= 0 || b.Warmup < 0 || b.Timeout <= 0 {
		return errors.New("--duration and --timeout must be above 0, --warmup not below")
	}
	for _, n := range b.Concurrency {
		if n < 1 {
			return fmt.Errorf("--concurrency %d: must be at least 1", n)
		}
	}
	for _, r := range b.Rate {
		if !(r > 0) {
			return fmt.Errorf("--rate %v: must be above 0", r)
		}
	}
	if b.Data != "" && len(b.Shape) > 0 {
		return errors.New("--data has its shapes; leave --shape out")
	}
	if b.CSV == "-" && b.JSON == "-" {
		return errors.New("--csv and --json can't both go to stdout")
	}
	if b.Plot != "" && b.plotFormat() == "" {
		return fmt.Errorf("--plot %s: must end in .svg or .png", b.Plot)
	}
	return nil
}

func (b benchCommand) plotFormat() string {
	switch end := strings.ToLower(filepath.Ext(b.Plot)); end {
	case ".svg", ".png":
		return end[1:]
	}
	return ""
}

// prepare encodes the request.
func (b benchCommand) prepare(ctx context.Context) (bench.Dial, error) {
	key, err := apiKey(b.KeyFile)
	if err != nil {
		return nil, err
	}
	target := bench.Target{
		URL: b.URL, Protocol: bench.Protocol(b.Protocol), Model: b.Model, Version: b.Version, Key: key, Timeout: b.Timeout,
		Deadline: b.Deadline,
	}
	request, err := b.request(ctx, target)
	if err != nil {
		return nil, err
	}
	var expected []tensor.Named
	if b.Expect != "" {
		body, err := os.ReadFile(b.Expect)
		if err != nil {
			return nil, fmt.Errorf("read --expect: %w", err)
		}
		if expected, err = bench.ReadExpected(body); err != nil {
			return nil, err
		}
	}
	return target.Prepare(request, expected)
}

func (b benchCommand) request(ctx context.Context, target bench.Target) (*codec.Request, error) {
	if b.Data != "" {
		body, err := os.ReadFile(b.Data)
		if err != nil {
			return nil, fmt.Errorf("read --data: %w", err)
		}
		return bench.ReadRequest(body)
	}
	shapes := map[string][]int64{}
	for _, text := range b.Shape {
		name, shape, err := parseShape(text)
		if err != nil {
			return nil, err
		}
		shapes[name] = shape
	}
	inputs, err := target.Inputs(ctx)
	if err != nil {
		return nil, err
	}
	return bench.Synthetic{Shapes: shapes, Batch: b.Batch, Zeros: b.Fill == "zeros", Seed: b.Seed}.Request(inputs)
}

// parseShape reads NAME:1,3,224,224. A name may have colons of its own.
func parseShape(text string) (name string, shape []int64, err error) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return "", nil, fmt.Errorf("--shape %q: expected NAME:DIMS, such as x:1,3,224,224", text)
	}
	shape = []int64{}
	for dimension := range strings.SplitSeq(text[at+1:], ",") {
		n, err := strconv.ParseInt(dimension, 10, 64)
		if err != nil || n < 0 {
			return "", nil, fmt.Errorf("--shape %q: %q is no dimension", text, dimension)
		}
		shape = append(shape, n)
	}
	return text[:at], shape, nil
}

// loads returns the sweep: a closed loop of one caller, unless the flags say otherwise.
func (b benchCommand) loads() []bench.Load {
	one := bench.Load{Concurrency: 1, Poisson: b.Arrivals == "poisson", Seed: b.Seed, Warmup: b.Warmup, Duration: b.Duration}
	all := []bench.Load{}
	for _, n := range b.Concurrency {
		one.Concurrency = n
		all = append(all, one)
	}
	for _, r := range b.Rate {
		one.Concurrency, one.Rate = 0, r
		all = append(all, one)
	}
	if len(all) == 0 {
		return []bench.Load{one}
	}
	return all
}

func (b benchCommand) measure(ctx context.Context, load bench.Load, dial bench.Dial) (bench.Point, error) {
	name := fmt.Sprintf("concurrency %d", load.Concurrency)
	if load.Concurrency == 0 {
		name = fmt.Sprintf("rate %v/s", load.Rate)
	}
	total := load.Warmup + load.Duration
	if term.IsTerminal(int(os.Stderr.Fd())) {
		progress, done := bench.Bar(os.Stderr, name, total)
		load.Progress = progress
		point, err := load.Run(ctx, dial)
		return point, errors.Join(err, done())
	}
	load.Progress = bench.Lines(slog.New(slog.NewTextHandler(os.Stderr, nil)), name, total)
	return load.Run(ctx, dial)
}

func (b benchCommand) write(report *bench.Report) error {
	if b.CSV != "-" && b.JSON != "-" {
		if err := report.WriteTable(os.Stdout); err != nil {
			return err
		}
	}
	if b.Plot != "" {
		if err := report.WritePlot(b.Plot, b.plotFormat()); err != nil {
			return err
		}
	}
	return errors.Join(writeFile(b.CSV, report.WriteCSV), writeFile(b.JSON, report.WriteJSON))
}

// writeFile writes to a path, to stdout for -, and not at all for an empty one.
func writeFile(path string, write func(io.Writer) error) (err error) {
	switch path {
	case "":
		return nil
	case "-":
		return write(os.Stdout)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file)
}
