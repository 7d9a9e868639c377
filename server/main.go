// Slipway serves ONNX models over HTTP and gRPC.
package main

import (
	"os"

	"slipway/server/cli"
)

func main() { os.Exit(cli.Main()) }
