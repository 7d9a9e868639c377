package onnx

// #include "allocator.h"
// #include "weights.h"
import "C"

import (
	"errors"
	"fmt"
)

// readExternalWeights makes the sessions independent of the files that their weights
// come from: by itself the runtime keeps those mapped. Of 500 MB that costs half a
// second at the load, and as much memory as was mapped before; what the runtime packs
// anew, such as the weights of MatMul and Conv, is held once as before.
func readExternalWeights() error {
	if C.ReadExternalWeights() == 0 {
		return errors.New("the binary does not export mmap and munmap; it must be linked dynamically")
	}
	return nil
}

// checkExternal refuses weights that do not fit into what sessions may hold: the
// runtime would read them by other means.
func checkExternal(bytes int64) error {
	if free := max(0, int64(C.AllocatorFree())); bytes > free {
		C.CountRefused()
		return fmt.Errorf("cannot allocate memory for %d MiB of external weights: models may take %d MiB more", bytes>>20, free>>20)
	}
	return nil
}
