package modelconfig

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"slipway/server/tensor"
)

// bound is the largest value of a setting and why there is none above it. The
// smallest is 0.
type bound struct {
	most int64
	why  string
}

// bounds has every number of a configuration file by its key; numbers of a list and
// of the warm-up's parts have the key of what they are in. Versions have no bound
// below that of their type: only those that have a folder are loaded.
var bounds = map[string]bound{
	"batching.maxBatchSize":               {1 << 16, "each size has its statistics, and the largest batch is run before the version is ready"},
	"batching.preferredBatchSizes, count": {64, "each is looked at for every batch"},
	"batching.maxQueueDelay":              {int64(time.Minute), "requests wait that long for others"},
	"queue.maxRequests":                   {1 << 20, "each that waits takes memory besides its tensors"},
	"queue.maxBytes":                      {1 << 40, "no container has more memory"},
	"queue.timeout":                       {int64(24 * time.Hour), "a request's own timeout has the same bound"},
	"queue.priorityLevels":                {100, "each has a queue"},
	"queue.defaultPriority":               {100, "it is one of the levels"},
	"instances.count":                     {1024, "each is a run at the same time, and no machine has as many processors"},
	"instances.intraOpThreads":            {1024, "each is a thread of the model's, and no machine has as many processors"},
	"versions.latest":                     {1000, "each version that is loaded takes its memory"},
	"versions.specific, count":            {1000, "each version that is loaded takes its memory"},
	"warmUp, count":                       {100, "each is run before the version is ready"},
	"warmUp.count":                        {1000, "each is a run before the version is ready"},
	"warmUp.batchSize":                    {1 << 16, "it is a run's rows, as batching.maxBatchSize"},
	"warmUp.dims, count":                  {32, "no model has inputs of more dimensions"},
	"warmUp, bytes of inputs":             {1 << 30, "they are made in memory beside the model; with a batch size, dims are those of one row"},
}

// check returns an error that names a setting's value and its bound, or nil. The key
// is that of bounds; at is what the file calls it.
func check(key, at string, value int64) error {
	b := bounds[key]
	show := func(n int64) string { return strconv.FormatInt(n, 10) }
	if key == "batching.maxQueueDelay" || key == "queue.timeout" {
		show = func(n int64) string { return time.Duration(n).String() }
	}
	switch {
	case value < 0:
		return fmt.Errorf("%s: is %s and must not be negative", at, show(value))
	case value > b.most:
		return fmt.Errorf("%s: is %s and must be at most %s: %s", at, show(value), show(b.most), b.why)
	}
	return nil
}

// validateNumbers compares each number with its bound.
func (s *Config) validateNumbers(called func(string) string) error {
	var all []error
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"batching.maxBatchSize", int64(s.Batching.MaxBatchSize)},
		{"batching.preferredBatchSizes, count", int64(len(s.Batching.PreferredBatchSizes))},
		{"batching.maxQueueDelay", int64(s.Batching.MaxQueueDelay)},
		{"queue.maxRequests", int64(s.Queue.MaxRequests)},
		{"queue.maxBytes", s.Queue.MaxBytes},
		{"queue.timeout", int64(s.Queue.Timeout)},
		{"queue.priorityLevels", int64(s.Queue.PriorityLevels)},
		{"queue.defaultPriority", int64(s.Queue.DefaultPriority)},
		{"instances.count", int64(s.Instances.Count)},
		{"instances.intraOpThreads", int64(s.Instances.IntraOpThreads)},
		{"versions.latest", int64(s.Versions.Latest)},
		{"versions.specific, count", int64(len(s.Versions.Specific))},
		{"warmUp, count", int64(len(s.WarmUp))},
	} {
		key, part, _ := strings.Cut(n.key, ", ")
		all = append(all, check(n.key, strings.TrimSpace(called(key)+" "+part), n.value))
	}
	return errors.Join(all...)
}

// validateWarmUp compares the numbers of each warm-up, and the bytes of its inputs,
// with their bounds.
func (s *Config) validateWarmUp(called func(string) string) error {
	var all []error
	var bytes int64
	for i, w := range s.WarmUp {
		at := fmt.Sprintf("%s[%d]", called("warmUp"), i)
		all = append(all,
			check("warmUp.batchSize", at+" batch size", int64(w.BatchSize)),
			check("warmUp.count", at+" count", int64(w.Count)))
		for _, name := range slices.Sorted(maps.Keys(w.Inputs)) {
			in, at := w.Inputs[name], fmt.Sprintf("%s.inputs.%s.dims", at, cut(name, longestName))
			if err := check("warmUp.dims, count", at+" count", int64(len(in.Dims))); err != nil {
				all = append(all, err)
				continue
			}
			n, err := in.bytes(max(w.BatchSize, 1))
			if err != nil {
				all = append(all, fmt.Errorf("%s: %w", at, err))
				continue
			}
			bytes += min(n, math.MaxInt64-bytes)
		}
	}
	return errors.Join(append(all, check("warmUp, bytes of inputs", called("warmUp")+" bytes of inputs", bytes))...)
}

// bytes returns how large an input of that many rows is at most: whether the dims
// leave the batch axis out, and the type that they leave out, is known when the model
// is open.
func (in WarmUpInput) bytes(rows int) (int64, error) {
	n, err := tensor.Count(append([]int64{int64(rows)}, in.Dims...))
	if err != nil {
		return 0, err
	}
	size := int64(in.DType.Size())
	if size == 0 {
		size = 16 // of a string's head in Go, which is the largest element
	}
	if n > math.MaxInt64/size {
		return math.MaxInt64, nil
	}
	return n * size, nil
}

// longestError bounds the text of an error: each line of a large file may be wrong.
const longestError = 2000

// bounded joins errors as errors.Join does, and cuts their text.
func bounded(all ...error) error {
	err := errors.Join(all...)
	if err == nil || len(err.Error()) <= longestError {
		return err
	}
	return errors.New(cut(err.Error(), longestError))
}

// cut returns the beginning of a text.
func cut(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}
