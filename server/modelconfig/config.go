package modelconfig

import (
	"time"

	"slipway/server/tensor"
)

// Config configures how a model is served.
type Config struct {
	Batching  Batching
	Queue     Queue
	Instances Instances
	Versions  Versions
	Memory    Memory
	WarmUp    []WarmUp
	Declared  []Declared // inputs and outputs that a config.pbtxt names
}

// Batching configures how requests share a run.
type Batching struct {
	MaxBatchSize        int // rows of one run; 0: off
	PreferredBatchSizes []int
	MaxQueueDelay       time.Duration // how long a batch that is not full may wait for more requests
}

// Queue bounds the requests that wait for a run.
type Queue struct {
	MaxRequests     int
	MaxBytes        int64
	Timeout         time.Duration // a request's deadline, waiting and running; 0: none
	PriorityLevels  int           // 1 is the first
	DefaultPriority int
}

// Instances configures how many runs are active at once. A value of 0 is derived.
type Instances struct{ Count, IntraOpThreads int }

// Versions selects which of the existing versions are loaded.
type Versions struct {
	Latest   int
	All      bool
	Specific []int64
}

// Memory configures the memory that a model keeps between runs.
type Memory struct{ Arena bool }

// WarmUp describes runs before a version is ready.
type WarmUp struct {
	Name             string
	BatchSize, Count int
	Inputs           map[string]WarmUpInput
}

// WarmUpInput is zeros, or random values, in a shape that may leave the batch
// axis out.
type WarmUpInput struct {
	DType  tensor.DType // Invalid: the model's own
	Dims   []int64
	Random bool
}

// Declared is an input or output as a config.pbtxt declares it. The package
// that opens the model compares it.
type Declared struct {
	Name  string
	DType tensor.DType
	Dims  []int64 // the full shape, with -1 for the batch and open dimensions; nil: not declared
	Input bool
	// Optional is that the declaration wants an input to have a default.
	Optional bool
}

// Default returns the configuration of a model without a configuration file.
func Default() Config {
	return Config{
		Queue:    Queue{MaxRequests: 256, MaxBytes: 256 << 20, Timeout: 30 * time.Second},
		Versions: Versions{Latest: 1},
	}
}
