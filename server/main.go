// Slipway serves ONNX models over HTTP and gRPC.
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
)

// Set by the linker.
var (
	version  = "dev"
	revision = "unknown"
)

type commands struct {
	Serve    serveCommand    `cmd:"" help:"Serve the models of a repository."`
	Validate validateCommand `cmd:"" help:"Check a configuration and its repository without serving."`
	Inspect  inspectCommand  `cmd:"" help:"Say what each model takes, how it is run, and why so."`
	Fetch    fetchCommand    `cmd:"" help:"Bring models from a URL into a folder."`
	Publish  publishCommand  `cmd:"" help:"Make a bundle the next version of a model in a repository."`
	Predict  predictCommand  `cmd:"" help:"Ask a server for a prediction."`
	Bench    benchCommand    `cmd:"" help:"Put load on any Open Inference Protocol server and measure."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Printf("slipway %s (%s)\n", version, revision)
	return err
}

func main() {
	var c commands
	parsed := kong.Parse(&c, kong.Name("slipway"), kong.Description("Serves ONNX models."), kong.UsageOnError())
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "slipway:", err)
		os.Exit(1)
	}
}
