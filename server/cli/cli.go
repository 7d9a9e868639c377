package cli

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"slipway/server/buildinfo"
)

type commands struct {
	Serve    serveCommand    `cmd:"" help:"Serve the models of a repository."`
	Validate validateCommand `cmd:"" help:"Check a configuration and its repository without serving."`
	Inspect  inspectCommand  `cmd:"" help:"Show what each model takes, how it is run, and why."`
	Fetch    fetchCommand    `cmd:"" help:"Download models from a URL into a folder."`
	Publish  publishCommand  `cmd:"" help:"Make a bundle the next version of a model in a repository."`
	Predict  predictCommand  `cmd:"" help:"Send a prediction request to a server."`
	Bench    benchCommand    `cmd:"" help:"Measure any Open Inference Protocol server under load."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
	Trial    trialCommand    `cmd:"" hidden:"" help:"Prove one model version for a server, which runs this by itself."`
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	_, err := fmt.Printf("slipway %s (%s)\n", buildinfo.Version, buildinfo.Revision)
	return err
}

// Main parses the arguments of the process, runs the command and returns the
// process's exit code. Arguments that do not parse end the process.
func Main() int {
	parsed := kong.Parse(&commands{}, kong.Name("slipway"), kong.Description("Serves ONNX models."), kong.UsageOnError())
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "slipway:", err)
		return 1
	}
	return 0
}
