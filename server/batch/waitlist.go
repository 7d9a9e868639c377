package batch

import "iter"

// waitList is what waits: a list for each priority, oldest first.
type waitList struct {
	levels   []level
	requests int
	bytes    int64
}

type level struct {
	first, last *waiter
	rows        int
}

func newWaitList(levels int) waitList { return waitList{levels: make([]level, levels)} }

func (l *waitList) push(w *waiter) {
	at := &l.levels[w.level]
	w.previous = at.last
	if at.last == nil {
		at.first = w
	} else {
		at.last.next = w
	}
	at.last = w
	at.rows += w.rows
	l.requests++
	l.bytes += w.bytes
}

func (l *waitList) remove(w *waiter) {
	at := &l.levels[w.level]
	if w.previous == nil {
		at.first = w.next
	} else {
		w.previous.next = w.next
	}
	if w.next == nil {
		at.last = w.previous
	} else {
		w.next.previous = w.previous
	}
	w.next, w.previous = nil, nil
	at.rows -= w.rows
	l.requests--
	l.bytes -= w.bytes
}

// all yields what waits in the order in which it will run.
func (l *waitList) all() iter.Seq[*waiter] {
	return func(yield func(*waiter) bool) {
		for i := range l.levels {
			for w := l.levels[i].first; w != nil; w = w.next {
				if !yield(w) {
					return
				}
			}
		}
	}
}

// rows returns how many rows wait at the levels down to lowest, included.
func (l *waitList) rows(lowest int) int {
	sum := 0
	for i := range lowest + 1 {
		sum += l.levels[i].rows
	}
	return sum
}
