package cli

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"

	"go.uber.org/automaxprocs/maxprocs"

	"slipway/server/config"
	"slipway/server/serving"
)

// options are the flags that serve, validate and inspect share. Each overrides
// the configuration's value.
type options struct {
	Config             string `help:"Configuration file." type:"path" placeholder:"FILE"`
	Models             string `help:"Repository folder." type:"path" placeholder:"DIR"`
	HTTPAddress        string `name:"http-address" help:"Address of the HTTP listener, such as :8080." placeholder:"ADDRESS"`
	GRPCAddress        string `name:"grpc-address" help:"Address of the gRPC listener, such as :8081." placeholder:"ADDRESS"`
	AdminAddress       string `help:"Address of metrics and administration, such as :9090; by default port 9090, of loopback only if there are no API keys." placeholder:"ADDRESS"`
	ONNXRuntimeLibrary string `name:"onnxruntime-library" help:"ONNX Runtime's shared library." type:"path" placeholder:"FILE"`
}

// configuration reads the file, applies the flags and validates the result.
func (o options) configuration() (config.Config, error) {
	c := config.Default()
	if o.Config != "" {
		var err error
		if c, err = config.Load(o.Config); err != nil {
			return c, err
		}
	}
	c.Models = cmp.Or(o.Models, c.Models)
	c.HTTP.Address = cmp.Or(o.HTTPAddress, c.HTTP.Address)
	c.GRPC.Address = cmp.Or(o.GRPCAddress, c.GRPC.Address)
	c.Admin.Address = cmp.Or(o.AdminAddress, c.Admin.Address)
	c.ONNXRuntime.Library = cmp.Or(o.ONNXRuntimeLibrary, c.ONNXRuntime.Library)
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

// fitProcessors limits Go to the container's CPU limit, rounded up, and returns
// that number. Go itself would not go below two.
func fitProcessors() (processors int, err error) {
	_, err = maxprocs.Set(maxprocs.Min(1), maxprocs.RoundQuotaFunc(func(quota float64) int {
		return int(math.Ceil(quota))
	}))
	if err != nil {
		return 0, fmt.Errorf("read the container's CPU limit: %w", err)
	}
	return runtime.GOMAXPROCS(0), nil
}

// spareProcessor gives Go one processor more, unless there is only one. A run
// keeps its processor until Go's runtime takes it back, which is late when a run
// is long; meanwhile the others read requests and refuse those that come too late.
// Beside runs of 7 ms on two cores, small requests have a p90 of 3.6 ms with it and
// of 6.1 ms without (`slipway bench --rate 200` of a small model beside `slipway
// bench --concurrency 4` of a heavy one). On one core it costs 6 %.
func spareProcessor(processors int) func() {
	return sync.OnceFunc(func() {
		if processors > 1 && os.Getenv("GOMAXPROCS") == "" {
			runtime.GOMAXPROCS(processors + 1)
		}
	})
}

// servingOptions derives the catalog's options from the configuration.
func servingOptions(c config.Config, processors int) serving.Options {
	return serving.Options{
		Folder: c.Models, DefaultModel: c.DefaultModel, Required: c.Repository.Required,
		Explicit:   c.Repository.Control == config.ControlExplicit,
		Processors: processors, LongRuns: spareProcessor(processors), IntraOpThreads: c.ONNXRuntime.IntraOpThreads,
		LoadTimeout: c.Repository.LoadTimeout,
	}
}

// trialCommandLine returns how this binary is started as the child of a trial.
func trialCommandLine() ([]string, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the binary for trials: %w", err)
	}
	return []string{binary, "trial"}, nil
}
