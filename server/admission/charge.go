package admission

import (
	"errors"
	"sync"
)

var (
	errFull  = errors.New("the memory for requests is in use; try again later")
	errEnded = errors.New("the request has ended")
)

// Charge is what one request, or one load of a model, holds of a budget. A nil
// Charge holds nothing and is refused nothing. It may be used by several
// goroutines.
type Charge struct {
	budget *Budget

	mu    sync.Mutex
	held  [stages]int64
	all   int64
	kept  int // how often Release must be called once more
	ended bool
}

// Charge returns a charge that holds nothing yet. Release must follow. Without a
// budget it is nil.
func (b *Budget) Charge() *Charge {
	if b == nil {
		return nil
	}
	return &Charge{budget: b}
}

// Add charges n more bytes for a stage. It must be called before they are held. The
// error is a fault: TooLarge when the request would not fit even if it were alone,
// Overloaded when it doesn't fit now. After Release it is an error.
func (c *Charge) Add(s Stage, n int64) error {
	if c == nil || n == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return errEnded
	}
	if err := c.budget.take(s, n, c.all); err != nil {
		return err
	}
	c.held[s] += n
	c.all += n
	return nil
}

// Sub gives back n bytes of a stage, or all that it holds if that is less.
func (c *Charge) Sub(s Stage, n int64) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n = min(n, c.held[s])
	c.held[s] -= n
	c.all -= n
	c.budget.giveBack(s, n)
}

// Set makes a stage hold n bytes, more or less than it did.
func (c *Charge) Set(s Stage, n int64) error {
	if c == nil {
		return nil
	}
	held := c.Held(s)
	if n < held {
		c.Sub(s, held-n)
		return nil
	}
	return c.Add(s, n-held)
}

// Held returns the bytes that a stage holds.
func (c *Charge) Held(s Stage) int64 {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[s]
}

// Keep makes the next Release give nothing back: another one will follow it, when
// something else than the request has ended too.
func (c *Charge) Keep() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept++
}

// Release gives everything back. It may be called more than once.
func (c *Charge) Release() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept > 0 {
		c.kept--
		return
	}
	c.ended = true
	for s := range c.held {
		if c.held[s] != 0 {
			c.budget.giveBack(Stage(s), c.held[s])
			c.held[s] = 0
		}
	}
	c.all = 0
}
