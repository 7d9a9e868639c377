package cli

import (
	"cmp"
	"fmt"
	"math"
	"runtime"

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
	AdminAddress       string `help:"Address of metrics and administration, such as :9090." placeholder:"ADDRESS"`
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

// servingOptions derives the catalog's options from the configuration.
func servingOptions(c config.Config, processors int) serving.Options {
	return serving.Options{
		Folder: c.Models, DefaultModel: c.DefaultModel,
		Processors: processors, IntraOpThreads: c.ONNXRuntime.IntraOpThreads,
	}
}
