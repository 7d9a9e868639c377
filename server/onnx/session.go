package onnx

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/tensor"
)

// Options of a session.
type Options struct {
	IntraOpThreads int // threads that one run may use, at least 1
}

// Session is a loaded model. Run may be called from many goroutines at once;
// Close only when no run is under way.
type Session struct {
	inputs, outputs []tensor.Spec
	session         *ort.DynamicAdvancedSession
	handle          unsafe.Pointer
	inputNames      cStrings
	outputNames     cStrings
}

// Open loads the model file at path.
func Open(path string, o Options) (*Session, error) {
	options, err := sessionOptions(o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer options.Destroy() //nolint:errcheck // releases memory, cannot fail

	in, out, err := ort.GetInputOutputInfoWithOptions(path, options)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s := &Session{}
	if s.inputs, err = specs(in); err != nil {
		return nil, fmt.Errorf("open %s: input %w", path, err)
	}
	if s.outputs, err = specs(out); err != nil {
		return nil, fmt.Errorf("open %s: output %w", path, err)
	}
	for _, i := range s.inputs {
		if i.Kind != tensor.KindTensor {
			return nil, fmt.Errorf("open %s: input %q is no tensor; only outputs may be sequences or maps", path, i.Name)
		}
	}
	s.session, err = ort.NewDynamicAdvancedSession(path, names(s.inputs), names(s.outputs), options)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if s.handle, err = handleOf(s.session); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.session.Destroy())
	}
	s.inputNames, s.outputNames = newCStrings(names(s.inputs)), newCStrings(names(s.outputs))
	return s, nil
}

// Inputs are the model's inputs in the order that Run takes them.
func (s *Session) Inputs() []tensor.Spec { return s.inputs }

// Outputs are the model's outputs in its own order.
func (s *Session) Outputs() []tensor.Spec { return s.outputs }

// Close frees the model.
func (s *Session) Close() error {
	s.inputNames.free()
	s.outputNames.free()
	return s.session.Destroy()
}

func sessionOptions(o Options) (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		options.SetIntraOpNumThreads(o.IntraOpThreads),
		// An idle pool that spins takes the CPU that the container is billed for.
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	)
	if err != nil {
		return nil, errors.Join(err, options.Destroy())
	}
	return options, nil
}

func specs(infos []ort.InputOutputInfo) ([]tensor.Spec, error) {
	all := make([]tensor.Spec, len(infos))
	for i, info := range infos {
		all[i] = tensor.Spec{Name: info.Name}
		switch info.OrtValueType {
		case ort.ONNXTypeTensor:
			all[i].DType = dtypeOf(info.DataType)
			all[i].Shape = append([]int64{}, info.Dimensions...)
			if all[i].DType == tensor.Invalid {
				return nil, fmt.Errorf("%q has element type %s, which is not served", info.Name, info.DataType)
			}
		case ort.ONNXTypeSequence:
			all[i].Kind = tensor.KindSequence
		case ort.ONNXTypeMap:
			all[i].Kind = tensor.KindMap
		default:
			return nil, fmt.Errorf("%q is of kind %s, which is not served", info.Name, info.OrtValueType)
		}
	}
	return all, nil
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
