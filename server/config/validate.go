package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
)

// Validate checks each value and names the key that is wrong.
func (c *Config) Validate() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if c.Models == "" {
		wrong("models: must name the repository folder")
	}
	if c.HTTP.MaxBodyBytes <= 0 {
		wrong("http.maxBodyBytes: must be positive, is %d", c.HTTP.MaxBodyBytes)
	}
	if _, err := c.HTTP.Proxies(); err != nil {
		all = append(all, err)
	}
	if c.HTTP.IdleTimeout <= 0 {
		wrong("http.idleTimeout: must be positive, is %s", c.HTTP.IdleTimeout)
	}
	all = append(all, c.HTTP.CORS.validate(), c.validateAddresses(), c.validateRepository())
	if c.GRPC.MaxMessageBytes <= 0 {
		wrong("grpc.maxMessageBytes: must be positive, is %d", c.GRPC.MaxMessageBytes)
	}
	if c.Memory.Limit != 0 && c.Memory.Limit < leastLimit {
		wrong("memory.limit: must be 0, for the container's limit, or at least %d bytes, is %d", leastLimit, c.Memory.Limit)
	}
	if c.Memory.Budget != 0 && c.Memory.Budget < leastBudget {
		wrong("memory.budget: must be 0, to derive it, or at least %d bytes, is %d", leastBudget, c.Memory.Budget)
	}
	if c.Memory.MaxResponseBytes <= 0 {
		wrong("memory.maxResponseBytes: must be positive, is %d", c.Memory.MaxResponseBytes)
	}
	if c.Tracing.SampleRatio < 0 || c.Tracing.SampleRatio > 1 {
		wrong("tracing.sampleRatio: must be from 0 to 1, is %v", c.Tracing.SampleRatio)
	}
	if err := c.Log.Level.UnmarshalText([]byte(c.Log.Name)); err != nil {
		wrong("log.level: must be debug, info, warn or error, is %q", c.Log.Name)
	}
	if c.Shutdown.Delay < 0 {
		wrong("shutdown.delay: must not be negative, is %s", c.Shutdown.Delay)
	}
	if c.Shutdown.GracePeriod < 0 {
		wrong("shutdown.gracePeriod: must not be negative, is %s", c.Shutdown.GracePeriod)
	}
	if c.ONNXRuntime.IntraOpThreads < 0 {
		wrong("onnxruntime.intraOpThreads: must not be negative, is %d", c.ONNXRuntime.IntraOpThreads)
	}
	if c.Trial.Memory < 0 {
		wrong("trial.memory: must not be negative, is %d", c.Trial.Memory)
	}
	return errors.Join(all...)
}

// validateAddresses checks each address, and that no two listeners share one.
func (c *Config) validateAddresses() error {
	var all []error
	keys := []string{"http.address", "grpc.address", "admin.address"}
	addresses := []string{c.HTTP.Address, c.GRPC.Address, c.AdminAddress()}
	for i, address := range addresses {
		if address == "" && keys[i] == "grpc.address" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			all = append(all, fmt.Errorf("%s: must be host:port or :port, is %q", keys[i], address))
		}
		for j := range i {
			if addresses[j] == address && !anyPort(address) {
				all = append(all, fmt.Errorf("%s and %s: must differ, both are %q", keys[j], keys[i], address))
			}
		}
	}
	return errors.Join(all...)
}

func (c *Config) validateRepository() error {
	r := c.Repository
	switch {
	case r.Control != ControlPoll && r.Control != ControlNone && r.Control != ControlExplicit:
		return fmt.Errorf("repository.control: must be poll, none or explicit, is %q", r.Control)
	case r.Control == ControlPoll && r.PollInterval <= 0:
		return fmt.Errorf("repository.pollInterval: must be positive, is %s", r.PollInterval)
	case r.LoadTimeout <= 0:
		return fmt.Errorf("repository.loadTimeout: must be positive, is %s", r.LoadTimeout)
	case slices.Contains(r.Required, ""):
		return errors.New("repository.required: must be names of models, has an empty one")
	case r.Control != ControlExplicit && len(r.Load) > 0:
		return fmt.Errorf("repository.load: is for repository.control explicit, which is %s", r.Control)
	}
	return nil
}

func anyPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port == "0"
}
