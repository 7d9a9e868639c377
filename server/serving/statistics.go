package serving

import (
	"log/slog"
	"sync/atomic"
	"time"

	"slipway/server/fault"
	"slipway/server/telemetry"
)

// Statistics are the counts of a version since it was loaded.
type Statistics struct {
	LastInference                 time.Time
	InferenceCount                uint64 // rows
	ExecutionCount                uint64 // runs
	Success, Fail, Cancel, Reject Duration
	Queue, ComputeInput           Duration
	ComputeInfer, ComputeOutput   Duration
	Batches                       []BatchStatistics // ascending by size
}

// Duration counts how often something was done and how long all of that took.
type Duration struct {
	Count uint64
	Total time.Duration
}

// BatchStatistics are the runs of one size.
type BatchStatistics struct {
	Size                                      int
	ComputeInput, ComputeInfer, ComputeOutput Duration
}

// statistics are counted without a lock.
type statistics struct {
	last                          atomic.Int64 // ns of the Unix epoch
	rows, runs                    atomic.Uint64
	success, fail, cancel, reject duration
	queue, infer                  duration
	batches                       []batchStatistics // by size
}

type duration struct {
	count atomic.Uint64
	total atomic.Int64
}

type batchStatistics struct{ infer duration }

func (d *duration) add(took time.Duration) {
	d.count.Add(1)
	d.total.Add(int64(took))
}

func (d *duration) get() Duration {
	return Duration{Count: d.count.Load(), Total: time.Duration(d.total.Load())}
}

func (s *statistics) succeeded(a Response) {
	s.last.Store(a.Finished.UnixNano())
	s.success.add(a.Finished.Sub(a.Queued))
	s.queue.add(a.Started.Sub(a.Queued))
}

func (s *statistics) failed(took time.Duration, err error) {
	switch fault.CodeOf(err) {
	case fault.Overloaded:
		s.reject.add(took)
	case fault.Canceled, fault.DeadlineExceeded:
		s.cancel.add(took)
	default:
		s.fail.add(took)
	}
}

func (s *statistics) ran(rows int, took time.Duration, err error) {
	if err != nil {
		return
	}
	if rows >= len(s.batches) {
		rows = 1 // not batched: the request is the unit, as it is Triton's
	}
	s.runs.Add(1)
	s.rows.Add(uint64(max(rows, 1)))
	s.infer.add(took)
	s.batches[max(rows, 1)].infer.add(took)
}

// Statistics returns the counts so far. Copying rows into a batch
// and out of it is part of the run's time.
func (v *Version) Statistics() Statistics {
	s := &v.statistics
	all := Statistics{
		InferenceCount: s.rows.Load(), ExecutionCount: s.runs.Load(),
		Success: s.success.get(), Fail: s.fail.get(), Cancel: s.cancel.get(), Reject: s.reject.get(),
		Queue: s.queue.get(), ComputeInfer: s.infer.get(),
	}
	all.ComputeInput.Count, all.ComputeOutput.Count = all.ComputeInfer.Count, all.ComputeInfer.Count
	if last := s.last.Load(); last != 0 {
		all.LastInference = time.Unix(0, last)
	}
	for size := range s.batches {
		infer := s.batches[size].infer.get()
		if infer.Count == 0 {
			continue
		}
		idle := Duration{Count: infer.Count}
		all.Batches = append(all.Batches, BatchStatistics{Size: size, ComputeInput: idle, ComputeInfer: infer, ComputeOutput: idle})
	}
	return all
}

// observer passes on what the queue does: to the metrics, the statistics, the log and
// the version.
type observer struct {
	*telemetry.Version
	version *Version
	log     *slog.Logger
}

func (o observer) Ran(rows, requests int, took time.Duration, err error) {
	o.Version.Ran(rows, requests, took, err)
	o.version.statistics.ran(rows, took, err)
}

func (o observer) Late(runs int) {
	o.Version.Late(runs)
	before := o.version.late.Swap(int64(runs))
	o.version.catalog.lateRuns.Add(int64(runs) - before)
	if int64(runs) > before {
		o.log.Warn("run left behind", "late_runs", runs)
	}
}

func (o observer) BatchingRefused(err error) {
	o.Version.BatchingRefused(err)
	o.version.refuseBatching(err.Error(), o.log)
}
