package batch

import (
	"math"
	"math/bits"
	"time"
)

const (
	// memory is how many runs a mean remembers.
	memory = 64
	// outlier is how many times the mean a single run may count for.
	outlier = 8
	// deviations of what is expected are allowed for.
	deviations = 3.5
	// classes are the sizes of runs that are measured apart: 1 row, 2, 3 to 4, 5 to 8 and so on.
	classes = 16
)

// estimate is what runs have taken lately.
type estimate struct {
	took [classes]mean // by rows, in powers of two
	rows mean          // of a run
	full mean          // rows of a run that left others waiting
}

// mean is an exponentially weighted mean and variance; the first samples weigh the same.
type mean struct {
	value, variance float64
	count           int
}

func (m *mean) add(x float64) {
	m.count = min(m.count+1, memory)
	weight := 1 / float64(m.count)
	difference := x - m.value
	m.value += difference * weight
	m.variance = (1 - weight) * (m.variance + difference*difference*weight)
}

// sound is add for what may be far out: a first sample that the next one belies
// is forgotten, and a later one counts in full only when it is not alone.
func (m *mean) sound(x float64) {
	if m.count < memory && x*outlier < m.value {
		*m = mean{}
	}
	if m.value > 0 {
		x = min(x, max(outlier*m.value, m.value+outlier*math.Sqrt(m.variance)))
	}
	m.add(x)
}

func class(rows int) int { return min(bits.Len(uint(max(rows-1, 0))), classes-1) }

func (e *estimate) ran(rows int, took time.Duration) {
	e.took[class(rows)].sound(float64(took))
	e.rows.add(float64(rows))
}

// run is how long a run of so many rows will take; 0 when nothing has been
// measured. It takes at most its multiple of what fewer rows take: large runs that
// were slow once are tried again when small ones are fast.
func (e *estimate) run(rows int) time.Duration {
	best, scale := math.Inf(1), 1.0
	c := class(rows)
	for at := c; at >= 0; at-- {
		if m := &e.took[at]; m.count > 0 {
			best = min(best, m.value*scale)
		}
		scale *= 2
	}
	for at := c + 1; at < classes && math.IsInf(best, 1); at++ {
		if m := &e.took[at]; m.count > 0 {
			best = m.value
		}
	}
	if math.IsInf(best, 1) {
		return 0
	}
	return time.Duration(best)
}

// margin is expected with what is to be allowed for when it is the sum of so many runs.
func (e *estimate) margin(expected time.Duration, rows, runs int) time.Duration {
	n := float64(runs)
	spread := deviations * math.Sqrt(e.took[class(rows)].variance*(n+n*n/(2*memory))) // the mean is uncertain too
	return expected + expected/16 + time.Duration(spread)
}

// capacity is how many rows a run takes when enough are waiting.
func (q *Queue) capacity() float64 {
	if q.estimate.full.count > 0 {
		return max(q.estimate.full.value, 1)
	}
	return float64(q.limit)
}

// backlog is how long it takes until an instance is free after so many more runs.
func (q *Queue) backlog(runs int, now time.Time) time.Duration {
	sum := time.Duration(runs) * q.estimate.run(int(q.capacity()))
	for i := range q.instances {
		if at := &q.instances[i]; !at.started.IsZero() {
			// A run that overran will go on for as long as it has overrun already.
			sum += (q.estimate.run(at.rows) - now.Sub(at.started)).Abs()
		}
	}
	return sum / time.Duration(len(q.instances))
}

// predict is how long w's answer will take, cautiously; 0 when nothing has
// been measured. All instances are busy.
func (q *Queue) predict(w *waiter) time.Duration {
	if q.estimate.rows.count == 0 {
		return 0
	}
	ahead, capacity := q.waiting.rows(w.level), q.capacity()
	runs := min(ceil(ahead, capacity), max(ceil(ahead+w.rows, capacity)-1, 0))
	rows := max(ahead+w.rows-int(float64(runs)*capacity), w.rows, int(q.estimate.rows.value))
	rows = min(rows, q.options.MaxBatchSize)
	return q.estimate.margin(q.backlog(runs, w.queued)+q.estimate.run(rows), rows, runs+1)
}

// ceil is how many runs of capacity rows take.
func ceil(rows int, capacity float64) int { return int(math.Ceil(float64(rows) / capacity)) }
