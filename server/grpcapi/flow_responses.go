package grpcapi

import (
	"time"

	"slipway/server/admission"
)

// queue charges a response until it is sent or dropped.
func (f *flow) queue(length int64) error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.charge.Add(admission.Encode, length); err != nil {
		return err
	}
	f.queued += length
	return nil
}

// send notes that grpc has a response that was queued.
func (f *flow) send(length int64) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unsent == 0 {
		f.written = time.Now()
	}
	f.unsent += length
}

// progressed notes that something of a response is written.
func (f *flow) progressed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = time.Now()
}

// sent gives a response back that grpc had.
func (f *flow) sent(length int64) { f.giveBack(length, length) }

// drop gives a response back that grpc did not get.
func (f *flow) drop(length int64) { f.giveBack(length, 0) }

func (f *flow) giveBack(queued, unsent int64) {
	if f == nil {
		return
	}
	f.mu.Lock()
	f.queued -= queued
	f.unsent -= unsent
	f.charge.Sub(admission.Encode, queued)
	last := f.finished && f.queued == 0
	f.mu.Unlock()
	if last {
		f.release()
	}
}
