package bench

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// subBits is the resolution of a Histogram: 2^subBits buckets for each doubling,
// so that a value is at most 1/256 off.
const (
	subBits   = 7
	subCount  = 1 << subBits
	topBits   = 41 // 2^41 ns, 36 minutes: all longer durations are in the last bucket
	maxBucket = (topBits-subBits+1)*subCount - 1
)

// Histogram counts durations in logarithmic buckets, in memory that does not
// grow. Add may be called from many goroutines; read it when they are done.
type Histogram struct {
	buckets [maxBucket + 1]atomic.Uint64
	sum     atomic.Int64
	max     atomic.Int64
}

// Add counts d; a negative d counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.buckets[bucketOf(uint64(d))].Add(1)
	h.sum.Add(int64(d))
	for seen := h.max.Load(); int64(d) > seen; seen = h.max.Load() {
		if h.max.CompareAndSwap(seen, int64(d)) {
			return
		}
	}
}

// Count returns how many durations were added.
func (h *Histogram) Count() uint64 {
	var n uint64
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

// Mean returns the mean of the durations; zero when there are none.
func (h *Histogram) Mean() time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	return time.Duration(uint64(h.sum.Load()) / n)
}

// Max returns the longest duration, exactly.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }

// Quantile returns the duration that the share q of all do not exceed, such as 0.99
// for p99; zero when there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	rank := min(max(uint64(math.Ceil(q*float64(n))), 1), n)
	var below uint64
	for i := range h.buckets {
		below += h.buckets[i].Load()
		if below >= rank {
			return min(middleOf(i), h.Max())
		}
	}
	return h.Max()
}

// bucketOf returns a bucket of its own for a small value, else the bucket of its highest
// bit and the subBits bits after it.
func bucketOf(v uint64) int {
	if v < subCount {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return min((shift+1)<<subBits+int(v>>shift)-subCount, maxBucket)
}

// middleOf returns the middle of the values of a bucket.
func middleOf(bucket int) time.Duration {
	if bucket < subCount {
		return time.Duration(bucket)
	}
	shift := bucket>>subBits - 1
	low := uint64(subCount+bucket&(subCount-1)) << shift
	return time.Duration(low + (uint64(1)<<shift)/2)
}
