package onnx

// #include "binding.h"
import "C"

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

// The binding, and the version of it that the tests ran.
const (
	bindingModule  = "github.com/yalue/onnxruntime_go"
	bindingVersion = "v1.27.0"
)

// checkBinding reports a binding that this package was not tested with, or that
// lacks a function: a call of one that is missing would jump to address zero.
func checkBinding() error {
	if err := checkVersion(linkedVersion()); err != nil {
		return err
	}
	return checkFunctions(bindingFunctions())
}

func checkVersion(linked string) error {
	if linked == bindingVersion {
		return nil
	}
	return fmt.Errorf("%s %s is linked, package onnx was tested with %s: go back to that, "+
		"or run the tests of server/onnx with the new one and set bindingVersion in server/onnx/binding.go",
		bindingModule, linked, bindingVersion)
}

// linkedVersion is the version of the binding in this binary. The binary of a test
// has no list of modules; there the version is in the path of the binding's source.
func linkedVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == bindingModule {
				return module.Version
			}
		}
	}
	entry := reflect.ValueOf(ort.GetVersion).Pointer()
	file, _ := runtime.FuncForPC(entry).FileLine(entry)
	_, after, _ := strings.Cut(file, bindingModule+"@")
	version, _, found := strings.Cut(after, "/")
	if !found {
		return "of an unknown version"
	}
	return version
}

// bindingFunction is a function of the binding's C layer; its address is nil when
// the binding has none of that name.
type bindingFunction struct {
	name    string
	address unsafe.Pointer
}

func bindingFunctions() []bindingFunction {
	var count C.size_t
	table := C.BindingFunctions(&count)
	all := make([]bindingFunction, count)
	for i, f := range unsafe.Slice(table, count) {
		all[i] = bindingFunction{C.GoString(f.name), f.address}
	}
	return all
}

func checkFunctions(all []bindingFunction) error {
	var missing []string
	for _, f := range all {
		if f.address == nil {
			missing = append(missing, f.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s has no C function %s: go back to version %s, or replace what is missing in server/onnx/binding.h",
		bindingModule, strings.Join(missing, ", "), bindingVersion)
}
