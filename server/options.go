package main

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

// options are the flags that serve and validate share; each goes over the
// configuration's value.
type options struct {
	Config             string `help:"Configuration file." type:"path" placeholder:"FILE"`
	Models             string `help:"Repository folder." type:"path" placeholder:"DIR"`
	HTTPAddress        string `name:"http-address" help:"Address of the HTTP door, such as :8080." placeholder:"ADDRESS"`
	GRPCAddress        string `name:"grpc-address" help:"Address of the gRPC door, such as :8081." placeholder:"ADDRESS"`
	AdminAddress       string `help:"Address of metrics and administration, such as :9090." placeholder:"ADDRESS"`
	ONNXRuntimeLibrary string `name:"onnxruntime-library" help:"ONNX Runtime's shared library." type:"path" placeholder:"FILE"`
}

// configuration is the file under the flags, checked.
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

// keys are the API keys that the configuration names, or nil.
func keys(c config.Config) (*config.Keys, error) {
	if c.Auth.KeysFile == "" {
		return nil, nil
	}
	return config.LoadKeys(c.Auth.KeysFile)
}

// fitProcessors holds Go to the container's CPU limit, rounded up, and says what
// that is. Go itself would not go below two.
func fitProcessors() (processors int, err error) {
	_, err = maxprocs.Set(maxprocs.Min(1), maxprocs.RoundQuotaFunc(func(quota float64) int {
		return int(math.Ceil(quota))
	}))
	if err != nil {
		return 0, fmt.Errorf("read the container's CPU limit: %w", err)
	}
	return runtime.GOMAXPROCS(0), nil
}

// spareProcessor gives Go one processor more. A run keeps the one that it began on
// until Go's runtime takes it back, which is long when a run is long; meanwhile
// somebody must read requests and refuse those that come too late. Beside short
// runs alone it would be in the way.
func spareProcessor(processors int) func() {
	return sync.OnceFunc(func() {
		if os.Getenv("GOMAXPROCS") == "" {
			runtime.GOMAXPROCS(processors + 1)
		}
	})
}

// catalogOptions are what the models are loaded with.
func catalogOptions(c config.Config, processors int) serving.Options {
	return serving.Options{
		Folder: c.Models, DefaultModel: c.DefaultModel,
		Processors: processors, LongRuns: spareProcessor(processors), IntraOpThreads: c.ONNXRuntime.IntraOpThreads,
	}
}
