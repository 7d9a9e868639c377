package modelconfig

import (
	"errors"
	"fmt"
	"slices"
)

// inYAML and inTriton return the name of a setting in config.yaml and in config.pbtxt.
func inYAML(key string) string { return key }

func inTriton(key string) string {
	return map[string]string{
		"batching.maxBatchSize":        "max_batch_size",
		"batching.preferredBatchSizes": "dynamic_batching.preferred_batch_size",
		"batching.maxQueueDelay":       "dynamic_batching.max_queue_delay_microseconds",
		"queue.maxRequests":            "dynamic_batching.default_queue_policy.max_queue_size",
		"queue.timeout":                "dynamic_batching.default_queue_policy.default_timeout_microseconds",
		"queue.priorityLevels":         "dynamic_batching.priority_levels",
		"queue.defaultPriority":        "dynamic_batching.default_priority_level",
		"queue.maxBytes":               "queue.maxBytes", // which config.pbtxt has no field for
		"instances.count":              "instance_group.count",
		"instances.intraOpThreads":     "parameters.intra_op_thread_count",
		"versions.latest":              "version_policy.latest.num_versions",
		"versions.specific":            "version_policy.specific.versions",
		"warmUp":                       "model_warmup",
	}[key]
}

// validate checks each value. Errors name the key that is wrong, or both keys when
// two contradict each other.
func (s *Config) validate(called func(key string) string) error {
	if err := s.validateNumbers(called); err != nil {
		return err // the others count on them
	}
	return errors.Join(s.validateBatching(called), s.validateQueue(called), s.validateVersions(called), s.validateWarmUp(called))
}

func (s *Config) validateBatching(called func(string) string) error {
	b := s.Batching
	limit := called("batching.maxBatchSize")
	var all []error
	needs := func(key string) {
		all = append(all, fmt.Errorf("%s: nothing is batched with %s %d; set that to 2 or more, or remove this", called(key), limit, b.MaxBatchSize))
	}
	if b.MaxBatchSize < 2 && b.MaxQueueDelay > 0 {
		needs("batching.maxQueueDelay")
	}
	if b.MaxBatchSize < 2 && len(b.PreferredBatchSizes) > 0 {
		needs("batching.preferredBatchSizes")
		return errors.Join(all...)
	}
	for _, size := range b.PreferredBatchSizes {
		if size < 1 || size > b.MaxBatchSize {
			all = append(all, fmt.Errorf("%s: %d is not from 1 to %s, which is %d", called("batching.preferredBatchSizes"), size, limit, b.MaxBatchSize))
		}
	}
	return errors.Join(all...)
}

func (s *Config) validateQueue(called func(string) string) error {
	q := s.Queue
	var all []error
	if q.DefaultPriority > q.PriorityLevels {
		all = append(all, fmt.Errorf("%s: %d is more than %s, which is %d", called("queue.defaultPriority"), q.DefaultPriority, called("queue.priorityLevels"), q.PriorityLevels))
	}
	if q.Timeout > 0 && s.Batching.MaxQueueDelay >= q.Timeout {
		all = append(all, fmt.Errorf("%s: %s is not less than %s, which is %s, so that requests would time out before they run",
			called("batching.maxQueueDelay"), s.Batching.MaxQueueDelay, called("queue.timeout"), q.Timeout))
	}
	return errors.Join(all...)
}

func (s *Config) validateVersions(called func(string) string) error {
	v := s.Versions
	switch {
	case v.All:
		return nil
	case len(v.Specific) == 0 && v.Latest < 1:
		return fmt.Errorf("%s: must be at least 1, is %d", called("versions.latest"), v.Latest)
	case slices.ContainsFunc(v.Specific, func(n int64) bool { return n < 1 }):
		return fmt.Errorf("%s: versions are positive whole numbers", called("versions.specific"))
	}
	return nil
}
