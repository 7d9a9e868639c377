package modelconfig

import (
	"time"

	"slipway/server/tensor"
)

// Config are what a model's config.yaml, or Triton's config.pbtxt, says of
// how it is served.
type Config struct {
	Batching  Batching
	Queue     Queue
	Instances Instances
	Versions  Versions
	Memory    Memory
	WarmUp    []WarmUp
	Declared  []Declared // inputs and outputs that a config.pbtxt names
}

// Batching says how requests share a run.
type Batching struct {
	MaxBatchSize        int // rows of one run; 0: off
	PreferredBatchSizes []int
	MaxQueueDelay       time.Duration // that a batch which is not full may wait for more
}

// Queue bounds what waits for a run.
type Queue struct {
	MaxRequests     int
	MaxBytes        int64
	Timeout         time.Duration // a request's deadline, waiting and running; 0: none
	PriorityLevels  int           // 1 is the first
	DefaultPriority int
}

// Instances says how many runs go on at once; what is 0 is derived.
type Instances struct{ Count, IntraOpThreads int }

// Versions says which of the versions that lie there are loaded.
type Versions struct {
	Latest   int
	All      bool
	Specific []int64
}

// Memory says what a model keeps between runs.
type Memory struct{ Arena bool }

// WarmUp is runs that are made before a version is ready.
type WarmUp struct {
	Name             string
	BatchSize, Count int
	Inputs           map[string]WarmUpInput
}

// WarmUpInput is zeros, or random values, in a shape that may leave the batch
// out.
type WarmUpInput struct {
	DType  tensor.DType // Invalid: whatever the model takes
	Dims   []int64
	Random bool
}

// Declared is an input or output as a config.pbtxt has it, for whoever opens the
// model to compare.
type Declared struct {
	Name  string
	DType tensor.DType
	Dims  []int64 // the whole shape, with -1 for the batch and what is open; nil: not said
	Input bool
}

// Default are the settings of a model that says nothing.
func Default() Config {
	return Config{
		Queue:    Queue{MaxRequests: 256, MaxBytes: 256 << 20, Timeout: 30 * time.Second},
		Versions: Versions{Latest: 1},
	}
}
