package onnx

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/tensor"
)

// Options of a session.
type Options struct {
	IntraOpThreads int  // threads that one run may use, at least 1
	Arena          bool // keep the memory of a run for the next one
}

// Session is a loaded model. Run may be called from many goroutines at once;
// Close only when no run is under way.
type Session struct {
	inputs, outputs         []tensor.Spec
	inputNames, outputNames cStrings
	session                 *ort.DynamicAdvancedSession
	handle, memory          unsafe.Pointer

	mu     sync.Mutex
	frames []*frame // that nobody runs with
}

// Open loads the model file at path.
func Open(path string, o Options) (*Session, error) {
	s, err := load(path, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := s.describe(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
	}
	return s, nil
}

func load(path string, o Options) (*Session, error) {
	options, err := sessionOptions(o)
	if err != nil {
		return nil, err
	}
	defer options.Destroy() //nolint:errcheck // releases memory, cannot fail
	memory, err := ort.GetMemoryInfo()
	if err != nil {
		return nil, err
	}
	// The binding wants names for runs of its own, which there are none of.
	session, err := ort.NewDynamicAdvancedSession(path, nil, nil, options)
	if err != nil {
		return nil, err
	}
	s := &Session{session: session, memory: unsafe.Pointer(memory)}
	if s.handle, err = handleOf(session); err != nil {
		return nil, errors.Join(err, session.Destroy())
	}
	return s, nil
}

// describe asks the session what it takes and gives.
func (s *Session) describe() (err error) {
	if s.inputs, err = inputSpecs(s.handle); err != nil {
		return fmt.Errorf("input %w", err)
	}
	if s.outputs, err = outputSpecs(s.handle); err != nil {
		return fmt.Errorf("output %w", err)
	}
	for _, i := range s.inputs {
		if i.Kind != tensor.KindTensor {
			return fmt.Errorf("input %q is no tensor; only outputs may be sequences or maps", i.Name)
		}
	}
	s.inputNames, s.outputNames = newCStrings(names(s.inputs)), newCStrings(names(s.outputs))
	return nil
}

// Inputs are the model's inputs in the order that Run takes them.
func (s *Session) Inputs() []tensor.Spec { return s.inputs }

// Outputs are the model's outputs in its own order.
func (s *Session) Outputs() []tensor.Spec { return s.outputs }

// Close frees the model; Trim gives the memory back to the system.
func (s *Session) Close() error {
	for _, f := range s.frames {
		f.free()
	}
	s.inputNames.free()
	s.outputNames.free()
	return s.session.Destroy()
}

// output is the place of an output.
func (s *Session) output(name string) (int, error) {
	for i := range s.outputs {
		if s.outputs[i].Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the model has no output %q", name)
}

func sessionOptions(o Options) (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		// What fails is returned; the runtime would print it besides.
		options.SetLogSeverityLevel(ort.LoggingLevelFatal),
		options.SetIntraOpNumThreads(o.IntraOpThreads),
		// An idle pool that spins takes the CPU that the container is billed for.
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		// An arena grows to what the largest request took and keeps it. A pattern of
		// what a run allocates is kept for each shape that comes.
		options.SetCpuMemArena(o.Arena),
		options.SetMemPattern(o.Arena),
	)
	if err != nil {
		return nil, errors.Join(err, options.Destroy())
	}
	return options, nil
}

func names(specs []tensor.Spec) []string {
	all := make([]string, len(specs))
	for i, s := range specs {
		all[i] = s.Name
	}
	return all
}

// handleOf is the OrtSession behind the binding's session, which it keeps to
// itself. Reading the pointer is all that is done with it.
func handleOf(s *ort.DynamicAdvancedSession) (unsafe.Pointer, error) {
	inner := reflect.ValueOf(s).Elem().FieldByName("s")
	if inner.Kind() == reflect.Pointer && !inner.IsNil() {
		if handle := inner.Elem().FieldByName("ortSession"); handle.Kind() == reflect.Pointer && !handle.IsNil() {
			return handle.UnsafePointer(), nil
		}
	}
	return nil, errors.New("this version of onnxruntime_go keeps its session elsewhere")
}
