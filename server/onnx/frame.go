package onnx

// #include "frame.h"
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"slipway/server/tensor"
)

// frame is what one run at a time takes. A session keeps its frames for the next runs.
type frame struct {
	c               *C.Frame
	inputs, outputs []C.Slot // in C's memory
	outputNames     []*C.char
	wanted          []int // places of the outputs of this run
	pinner          runtime.Pinner
	terminate       func()
	terminated      chan struct{} // terminate has returned

	ctx      context.Context //nolint:containedctx // of the run under way
	patience *time.Timer     // ends when the run has become long enough to be watched
	unwatch  func() bool     // since then
	watched  chan struct{}   // told when unwatch is set
}

// patience is how long a run goes on unwatched: most are over by then, and
// waiting for a context takes longer than a small one.
const patience = time.Millisecond

func newFrame(s *Session) *frame {
	c := C.NewFrame(C.size_t(len(s.inputs)), C.size_t(len(s.outputs)))
	copy(unsafe.Slice(c.input_names, len(s.inputs)), s.inputNames)
	f := &frame{
		c:           c,
		inputs:      unsafe.Slice(c.inputs, len(s.inputs)),
		outputs:     unsafe.Slice(c.outputs, len(s.outputs)),
		outputNames: unsafe.Slice(c.output_names, len(s.outputs)),
		wanted:      make([]int, 0, len(s.outputs)),
		terminated:  make(chan struct{}, 1),
		watched:     make(chan struct{}, 1),
	}
	f.terminate = func() {
		C.RunOptionsSetTerminate(c.options) // fails never: it sets a flag
		f.terminated <- struct{}{}
	}
	f.patience = time.AfterFunc(time.Hour, func() {
		f.unwatch = context.AfterFunc(f.ctx, f.terminate)
		f.watched <- struct{}{}
	})
	f.patience.Stop()
	return f
}

func (f *frame) free() { C.FreeFrame(f.c) }

// want sets the outputs of the run, which are all of them when names is nil.
func (f *frame) want(s *Session, names []string) error {
	f.wanted = f.wanted[:0]
	if names == nil {
		for i := range s.outputs {
			f.wanted = append(f.wanted, i)
		}
	}
	for _, name := range names {
		i, err := s.output(name)
		if err != nil {
			return err
		}
		if len(f.wanted) == len(s.outputs) {
			return fmt.Errorf("more outputs are asked for than the %d that the model has", len(s.outputs))
		}
		f.wanted = append(f.wanted, i)
	}
	for i, at := range f.wanted {
		f.outputNames[i] = s.outputNames[at]
	}
	f.c.wanted = C.size_t(len(f.wanted))
	return nil
}

// give lends an input's memory to C until drop; strings are copied.
func (f *frame) give(i int, t *tensor.Tensor) (err error) {
	slot := &f.inputs[i]
	if text, ok := t.Data.([]string); ok {
		slot.value, err = stringValue(t.Shape, text)
		return err
	}
	if len(t.Shape) > int(slot.room) || slot.shape == nil {
		C.FitSlot(slot, C.size_t(len(t.Shape)))
	}
	slot.rank = C.size_t(len(t.Shape))
	slot._type = C.int(elementTypes[t.DType])
	copy(unsafe.Slice((*int64)(slot.shape), len(t.Shape)), t.Shape)
	memory := t.Memory()
	data, size := unsafe.Pointer(unsafe.SliceData(memory)), len(memory)
	if size == 0 {
		data = unsafe.Pointer(&empty) // an empty tensor still needs an address
	}
	f.pinner.Pin(data)
	slot.data, slot.size = data, C.size_t(size)
	return nil
}

var empty [8]byte

// drop lets go of all that the run has taken.
func (f *frame) drop() {
	C.DropFrame(f.c)
	f.pinner.Unpin()
}

// watch has the run end early when ctx does, or up to a millisecond later. The
// function that it gives tells whether it did; after it the frame is good for
// another run.
func (f *frame) watch(ctx context.Context) (options unsafe.Pointer, ended func() bool, err error) {
	if f.c.options == nil {
		if err := statusError(C.CreateRunOptions(&f.c.options)); err != nil {
			return nil, nil, err
		}
	}
	f.ctx = ctx
	f.patience.Reset(patience)
	return f.c.options, f.ended, nil
}

// ended stops watching and tells whether the run was ended early.
func (f *frame) ended() bool {
	defer func() { f.ctx = nil }()
	if f.patience.Stop() {
		return false
	}
	<-f.watched
	if f.unwatch() {
		return false
	}
	<-f.terminated
	C.RunOptionsUnsetTerminate(f.c.options)
	return true
}
