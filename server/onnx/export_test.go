package onnx

import "unsafe"

const (
	BindingModule  = bindingModule
	BindingVersion = bindingVersion
)

var (
	LinkedVersion = linkedVersion
	CheckVersion  = checkVersion
)

// CheckFunctionsWithout checks the table of the binding's functions as if those
// that are named were missing.
func CheckFunctionsWithout(missing ...string) error {
	all := bindingFunctions()
	for i := range all {
		for _, name := range missing {
			if all[i].name == name {
				all[i].address = unsafe.Pointer(nil)
			}
		}
	}
	return checkFunctions(all)
}
