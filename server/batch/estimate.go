package batch

import (
	"math"
	"math/bits"
	"time"
)

const (
	// window is how many runs a mean weighs.
	window = 64
	// outlier is how many times the mean a single run may count for.
	outlier = 8
	// deviations is how many standard deviations a deadline must allow for.
	deviations = 3.5
	// classes of run sizes are measured apart: 1 row, 2, 3 to 4, 5 to 8 and so on.
	classes = 16
)

// estimate is what runs have taken lately.
type estimate struct {
	byRows [classes]mean // by rows, in powers of two
	rows   mean          // of a run
	full   mean          // rows of a run that left others waiting
}

// mean is an exponentially weighted mean and variance; the first samples weigh the same.
type mean struct {
	value, variance float64
	count           int
}

func (m *mean) add(x float64) {
	m.count = min(m.count+1, window)
	weight := 1 / float64(m.count)
	difference := x - m.value
	m.value += difference * weight
	m.variance = (1 - weight) * (m.variance + difference*difference*weight)
}

// addRobust is add for samples with outliers: a first sample that the next one
// contradicts is forgotten, and a later outlier counts in full only when it is not
// the only one.
func (m *mean) addRobust(x float64) {
	if m.count < window && x*outlier < m.value {
		*m = mean{}
	}
	if m.value > 0 {
		x = min(x, max(outlier*m.value, m.value+outlier*math.Sqrt(m.variance)))
	}
	m.add(x)
}

func class(rows int) int { return min(bits.Len(uint(max(rows-1, 0))), classes-1) }

func (e *estimate) add(rows int, took time.Duration) {
	e.byRows[class(rows)].addRobust(float64(took))
	e.rows.add(float64(rows))
}

// runTime returns how long a run of that many rows will take; 0 when nothing has
// been measured. It is at most the multiple of what fewer rows take: large runs
// that were slow once are tried again when small ones are fast.
func (e *estimate) runTime(rows int) time.Duration {
	best, scale := math.Inf(1), 1.0
	c := class(rows)
	for at := c; at >= 0; at-- {
		if m := &e.byRows[at]; m.count > 0 {
			best = min(best, m.value*scale)
		}
		scale *= 2
	}
	for at := c + 1; at < classes && math.IsInf(best, 1); at++ {
		if m := &e.byRows[at]; m.count > 0 {
			best = m.value
		}
	}
	if math.IsInf(best, 1) {
		return 0
	}
	return time.Duration(best)
}

// withMargin adds a safety margin to expected, which is the time of that many runs.
func (e *estimate) withMargin(expected time.Duration, rows, runs int) time.Duration {
	n := float64(runs)
	spread := deviations * math.Sqrt(e.byRows[class(rows)].variance*(n+n*n/(2*window))) // the mean is uncertain too
	return expected + expected/16 + time.Duration(spread)
}

// capacity returns how many rows a run has when enough are waiting.
func (q *Queue) capacity() float64 {
	if q.estimate.full.count > 0 {
		return max(q.estimate.full.value, 1)
	}
	return float64(q.limit)
}

// backlog returns how long it takes until an instance is idle after that many more runs.
func (q *Queue) backlog(runs int, now time.Time) time.Duration {
	sum := time.Duration(runs) * q.estimate.runTime(int(q.capacity()))
	late := q.late()
	for i := range q.instances {
		at := &q.instances[i]
		if at.started.IsZero() || !at.late.IsZero() && late < len(q.instances) {
			continue // the others do the work of one that is late
		}
		// A run that overran is expected to last for as long as it has overrun already.
		sum += (q.estimate.runTime(at.rows) - now.Sub(at.started)).Abs()
	}
	if late < len(q.instances) {
		return sum / time.Duration(len(q.instances)-late)
	}
	return sum / time.Duration(len(q.instances))
}

// predict returns, cautiously, how long w's response will take; 0 when nothing has
// been measured. All instances are busy.
func (q *Queue) predict(w *waiter) time.Duration {
	if q.estimate.rows.count == 0 {
		return 0
	}
	ahead, capacity := q.waiting.rows(w.level), q.capacity()
	runs := min(ceil(ahead, capacity), max(ceil(ahead+w.rows, capacity)-1, 0))
	rows := max(ahead+w.rows-int(float64(runs)*capacity), w.rows, int(q.estimate.rows.value))
	rows = min(rows, q.options.MaxBatchSize)
	return q.estimate.withMargin(q.backlog(runs, w.queued)+q.estimate.runTime(rows), rows, runs+1)
}

// ceil returns how many runs of that capacity the rows take.
func ceil(rows int, capacity float64) int { return int(math.Ceil(float64(rows) / capacity)) }
