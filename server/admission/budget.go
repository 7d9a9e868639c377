package admission

import (
	"sync/atomic"
	"time"

	"slipway/server/fault"
)

// Stage is what memory is held for.
type Stage uint8

// The stages of a request, and what is held between requests.
const (
	Receive Stage = iota // bodies and messages as they arrive, decompressed too
	Decode               // tensors of requests
	Run                  // inputs and outputs of runs, batches too
	Encode               // responses, until they are written
	Load                 // models that are tried and loaded
	stages
)

var stageNames = [stages]string{"receive", "decode", "run", "encode", "load"}

// String is the stage's name, a label of metrics.
func (s Stage) String() string { return stageNames[s] }

// Stages returns all stages.
func Stages() []Stage { return []Stage{Receive, Decode, Run, Encode, Load} }

// Small is the size in bytes up to which a request may use the whole budget. Larger
// ones leave an eighth, so that a few large requests, or many that never end, do
// not get the small ones refused.
const Small = 256 << 10

// retryAfter is when a refused request may fit: what holds memory is mostly done
// within a second.
const retryAfter = time.Second

// Budget bounds the bytes that are held at the same time.
type Budget struct {
	limit   atomic.Int64
	used    atomic.Int64
	stages  [stages]atomic.Int64
	refused [stages]atomic.Int64
}

// NewBudget returns a budget of that many bytes.
func NewBudget(limit int64) *Budget {
	b := &Budget{}
	b.limit.Store(limit)
	return b
}

// Limit returns the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// SetLimit changes the budget. What is held already stays.
func (b *Budget) SetLimit(bytes int64) { b.limit.Store(bytes) }

// Used returns the bytes that are held in all.
func (b *Budget) Used() int64 { return b.used.Load() }

// UsedBy returns the bytes that are held for a stage.
func (b *Budget) UsedBy(s Stage) int64 { return b.stages[s].Load() }

// Refused returns how often a stage was refused memory.
func (b *Budget) Refused(s Stage) int64 { return b.refused[s].Load() }

// Fits returns nil if a request could be charged n bytes now, else what Charge.Add
// would return. It charges nothing. Without a budget everything fits.
func (b *Budget) Fits(s Stage, n int64) error {
	if b == nil || n <= 0 {
		return nil
	}
	if bound := b.bound(n); b.used.Load()+n > bound {
		return b.refuse(s, n, bound)
	}
	return nil
}

// take adds n bytes to a charge that holds held already.
func (b *Budget) take(s Stage, n, held int64) error {
	bound := b.bound(held + n)
	if b.used.Add(n) > bound {
		b.used.Add(-n)
		return b.refuse(s, held+n, bound)
	}
	b.stages[s].Add(n)
	return nil
}

// bound is how much all may hold when a request that holds that many bytes is one of them.
func (b *Budget) bound(bytes int64) int64 {
	limit := b.limit.Load()
	if bytes > Small {
		return limit - limit/8
	}
	return limit
}

func (b *Budget) refuse(s Stage, needed, bound int64) error {
	b.refused[s].Add(1)
	if needed > bound {
		return fault.New(fault.TooLarge, "%s: the request needs %d bytes of memory, more than the %d that one may have (memory.budget)", s, needed, bound)
	}
	return &fault.Error{Code: fault.Overloaded, RetryAfter: retryAfter, Err: errFull}
}

func (b *Budget) giveBack(s Stage, n int64) {
	b.stages[s].Add(-n)
	b.used.Add(-n)
}
