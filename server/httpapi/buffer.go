package httpapi

import (
	"sync"

	"slipway/server/admission"
)

// buffer is bytes that outlive the request that used them. What it holds is charged
// to the request.
type buffer struct{ admission.Buffer }

// buffers are kept for the next requests: without them a JSON request of 290 KB takes
// 11 % more processor time (scripts/bench -run TestLargeJSON, with and without).
var buffers = sync.Pool{New: func() any { return new(buffer) }}

// keepBytes bounds what an idle buffer holds: a rare large body is not kept.
const keepBytes = 4 << 20

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) giveBack() {
	if b == nil || cap(b.Bytes) > keepBytes {
		return
	}
	b.Bytes = b.Bytes[:0]
	buffers.Put(b)
}
