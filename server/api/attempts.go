package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"slipway/server/fault"
)

// Who guesses keys is slowed down. An address may send freeAttempts wrong keys in
// attemptsWindow; then each more is answered after attemptDelay, and of those
// mostDelayed may wait. A right key is never delayed: behind a proxy that is not
// trusted all clients have one address.
const (
	freeAttempts   = 10
	attemptsWindow = time.Minute
	attemptDelay   = time.Second
	mostDelayed    = 8
	// mostAddresses bounds the addresses that are remembered; more share one entry.
	mostAddresses = 4096
)

// attempts counts the wrong keys of each address.
type attempts struct {
	mu        sync.Mutex
	byAddress map[string]*attempt
}

type attempt struct {
	since          time.Time // the beginning of the window
	wrong, delayed int
}

// failed counts a wrong key and waits if there were many. The error is why the
// client is told nothing about the key.
func (a *attempts) failed(ctx context.Context, address string) error {
	one, wait := a.count(address)
	if !wait {
		return nil
	}
	if one == nil {
		return &fault.Error{Code: fault.Overloaded, RetryAfter: attemptDelay, Err: errManyAttempts}
	}
	timer := time.NewTimer(attemptDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	a.mu.Lock()
	one.delayed--
	a.mu.Unlock()
	return nil
}

var errManyAttempts = errors.New("too many wrong API keys came from this address; try again later")

// count returns whether an attempt has to wait, and its address's entry if it may.
func (a *attempts) count(address string) (one *attempt, wait bool) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	one = a.entry(address, now)
	one.wrong++
	switch {
	case one.wrong <= freeAttempts:
		return nil, false
	case one.delayed >= mostDelayed:
		return nil, true
	}
	one.delayed++
	return one, true
}

func (a *attempts) entry(address string, now time.Time) *attempt {
	if a.byAddress == nil {
		a.byAddress = map[string]*attempt{}
	}
	one := a.byAddress[address]
	if one == nil && len(a.byAddress) >= mostAddresses {
		a.forget(now)
		if len(a.byAddress) >= mostAddresses {
			address = ""
			one = a.byAddress[address]
		}
	}
	if one == nil {
		one = &attempt{since: now}
		a.byAddress[address] = one
	}
	if now.Sub(one.since) > attemptsWindow {
		one.since, one.wrong = now, 0
	}
	return one
}

// forget drops the addresses whose window is over.
func (a *attempts) forget(now time.Time) {
	for address, one := range a.byAddress {
		if now.Sub(one.since) > attemptsWindow && one.delayed == 0 {
			delete(a.byAddress, address)
		}
	}
}
