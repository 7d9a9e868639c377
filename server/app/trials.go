package app

import (
	"slipway/server/admission"
	"slipway/server/config"
	"slipway/server/trial"
)

// NewTrials returns trials of models that share the container's memory with this
// process, and with its requests if a budget is given. command starts a child.
func NewTrials(c config.Config, command []string, budget *admission.Budget) (*trial.Trials, error) {
	limit, err := memoryLimit(c.Memory)
	if err != nil {
		return nil, err
	}
	return trial.New(trial.Options{
		Command: command, Library: c.ONNXRuntime.Library, Timeout: c.Repository.LoadTimeout, Memory: c.Trial.Memory,
	}, limit, budget), nil
}
