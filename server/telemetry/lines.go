package telemetry

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	flushBytes = 32 << 10
	// FlushAfter is how long lines of many requests are collected.
	FlushAfter = 100 * time.Millisecond
	// keepBytes bounds the lines that wait to be written: a log that nobody reads, such
	// as a full pipe, must not stop the server.
	keepBytes = 1 << 20
)

// Lines writes lines from a goroutine of its own, many at once. One system call for
// each line costs a tiny model's request 10 % of the server's processor time when the
// log is a file and 33 % when it is a pipe (scripts/bench -run TestTinyModel, with and
// without). Lines that do not fit, because the log takes none, are dropped and counted.
// Close must follow.
type Lines struct {
	to      io.Writer
	after   time.Duration
	dropped atomic.Int64

	mu      sync.Mutex
	waiting []byte
	count   int64 // lines that wait

	begun  chan struct{} // a first line waits
	full   chan struct{} // enough lines wait
	closed chan struct{}
	done   chan struct{} // closed when all is written
	once   sync.Once
}

// NewLines writes lines to w, at most so long after they came.
func NewLines(w io.Writer, after time.Duration) *Lines {
	l := &Lines{to: w, after: after, begun: make(chan struct{}, 1), full: make(chan struct{}, 1), closed: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Write takes a whole line. It does not wait, and its error is nil.
func (l *Lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting)+len(line) > keepBytes {
		l.dropped.Add(1)
		return len(line), nil
	}
	if len(l.waiting) == 0 {
		notify(l.begun)
	}
	l.waiting = append(l.waiting, line...)
	l.count++
	if len(l.waiting) >= flushBytes {
		notify(l.full)
	}
	return len(line), nil
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Dropped returns how many lines were lost because the log did not take them.
func (l *Lines) Dropped() int64 { return l.dropped.Load() }

// Close writes what waits. A log that takes nothing within a second is given up.
func (l *Lines) Close() error {
	l.once.Do(func() { close(l.closed) })
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-l.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("close the log: it takes no lines; %d are lost", l.dropped.Load()+l.lines())
	}
}

func (l *Lines) lines() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// run writes the lines, in pieces that have been collected for a while or are full.
func (l *Lines) run() {
	defer close(l.done)
	var spare []byte
	for {
		select {
		case <-l.begun:
		case <-l.closed:
			l.write(spare)
			return
		}
		timer := time.NewTimer(l.after)
		select {
		case <-l.full:
		case <-timer.C:
		case <-l.closed:
		}
		timer.Stop()
		spare = l.write(spare)
	}
}

// write writes what waits and returns its memory, for the lines after the next ones.
func (l *Lines) write(spare []byte) []byte {
	l.mu.Lock()
	piece, count := l.waiting, l.count
	l.waiting, l.count = spare[:0], 0
	l.mu.Unlock()
	if len(piece) > 0 {
		if _, err := l.to.Write(piece); err != nil {
			l.dropped.Add(count) // there is nowhere to report it
		}
	}
	return piece
}
