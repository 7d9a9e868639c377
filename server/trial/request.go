package trial

import (
	"time"

	"slipway/server/modelconfig"
	"slipway/server/repository"
	"slipway/server/tensor"
)

// Request is a version to be tried.
type Request struct {
	Bundle         repository.Bundle
	Settings       modelconfig.Config
	IntraOpThreads int // of one run
}

// Result is what a version that passed has shown.
type Result struct {
	MaxBatchSize    int           // 0: requests are not batched
	BatchingRefused string        // why not, if the settings enable it
	ProvedBatchSize int           // rows of the largest batch that was verified
	Unproved        string        // why no larger one was, or empty
	Verified        time.Duration // how long batching was verified; 0: it was not
	WarmUpRefused   string        // why a warm-up run failed, or empty
	RunsLong        bool          // a warm run is long enough to keep a processor from others
	Steps           []Step
	PeakBytes       int64 // the most memory that the child was seen to hold

	InputRows, OutputRows []tensor.RowAxis // where the rows are, in the model's order
	RowsUnlearned         string           // why no run has shown them, or empty
	RefusesEmpty          bool             // inputs without elements may end the process

	Died         string // how a child ended that had passed before, or empty
	diedOfMemory bool
}

// Step is a part of a proof, such as "warming up", and how long it took.
type Step struct {
	Name string
	Took time.Duration
}

// Failure is why a version did not pass.
type Failure struct {
	Reason         string
	Permanent      bool // the same files and settings always give it
	GoldenMismatch bool // a golden answer was not reproduced

	outOfMemory bool
}

func (f *Failure) Error() string { return f.Reason }

// Limits are the bounds that a child sets itself before it opens anything.
type Limits struct {
	Memory         int64         // bytes
	ProcessorTime  time.Duration // of all threads together
	IntraOpThreads int
}

// task is what the child reads.
type task struct {
	Library string
	Request Request
	Limits  Limits
}

// Progress takes what a proof reports on its way. Its zero value takes no notice.
type Progress struct {
	step   func(name string)
	passed func(Result)
}

// Step reports that a step begins.
func (p Progress) Step(name string) {
	if p.step != nil {
		p.step(name)
	}
}

// Passed reports what counts if the process dies in what follows.
func (p Progress) Passed(r Result) {
	if p.passed != nil {
		p.passed(r)
	}
}

// report is one line that the child writes: a step that begins, what counts if the
// process dies in what follows, or in the last one the result or the failure.
type report struct {
	Step    string   `json:",omitempty"`
	Passed  *Result  `json:",omitempty"`
	Result  *Result  `json:",omitempty"`
	Failure *Failure `json:",omitempty"`
}
