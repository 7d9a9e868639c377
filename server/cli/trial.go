package cli

import (
	"slipway/server/onnx"
	"slipway/server/serving"
	"slipway/server/trial"
)

type trialCommand struct{}

// Run is the child process in which serve, validate and inspect try a version. Nobody
// runs it by hand: it reads its task from standard input.
func (trialCommand) Run() error {
	return trial.Main(func(library string, l trial.Limits) error {
		onnx.LimitMemory(l.Memory)
		return onnx.Init(library)
	}, serving.Prove)
}
