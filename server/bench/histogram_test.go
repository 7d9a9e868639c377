package bench_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"slipway/server/bench"
)

func TestQuantilesAgreeWithASort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, draw := range map[string]func() time.Duration{
		"nanoseconds": func() time.Duration { return time.Duration(r.IntN(300)) },
		"uniform":     func() time.Duration { return time.Duration(r.Int64N(int64(time.Second))) },
		"log-normal":  func() time.Duration { return time.Duration(1e6 * math.Exp(r.NormFloat64()*2)) },
		"two humps": func() time.Duration {
			return time.Duration(1+999*r.IntN(2))*time.Millisecond + time.Duration(r.IntN(1000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var h bench.Histogram
			all := make([]time.Duration, 100_000)
			for i := range all {
				all[i] = draw()
				h.Add(all[i])
			}
			slices.Sort(all)
			for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
				want := all[max(int(math.Ceil(q*float64(len(all)))), 1)-1]
				assert.InDelta(t, float64(want), float64(h.Quantile(q)), float64(want)/256+1, "q=%v", q)
			}
			assert.Equal(t, all[len(all)-1], h.Max())
			assert.Equal(t, uint64(len(all)), h.Count())
		})
	}
}

func TestHistogramAtItsEnds(t *testing.T) {
	var h bench.Histogram
	assert.Zero(t, h.Quantile(0.5))
	assert.Zero(t, h.Mean())
	h.Add(-time.Second)
	assert.Zero(t, h.Quantile(1))
	h.Add(100 * time.Hour)
	assert.Equal(t, 100*time.Hour, h.Max())
	assert.Equal(t, 50*time.Hour, h.Mean())
	assert.Greater(t, h.Quantile(1), 30*time.Minute, "beyond the last bucket")
}

func BenchmarkHistogramAdd(b *testing.B) {
	var h bench.Histogram
	b.RunParallel(func(pb *testing.PB) {
		d := time.Duration(0)
		for pb.Next() {
			d += 977 * time.Nanosecond
			h.Add(d)
		}
	})
}
