package golden

import (
	"encoding/json"
	"fmt"
	"math"
)

// Tolerance is how far a number may be off: |got-want| <= Absolute + Relative*|want|.
type Tolerance struct {
	Absolute float64 `json:"absolute"`
	Relative float64 `json:"relative"`
}

// DefaultTolerance is that of a line without one. It is above what other processors and
// batch sizes change in the last digits of single precision.
var DefaultTolerance = Tolerance{Absolute: 1e-5, Relative: 1e-4}

// within reports whether got is as near to want as t demands. NaN equals NaN here.
func (t Tolerance) within(got, want float64) bool {
	if got == want || math.IsNaN(got) && math.IsNaN(want) {
		return true
	}
	return !math.IsInf(want, 0) && math.Abs(got-want) <= t.Absolute+t.Relative*math.Abs(want)
}

func (t Tolerance) String() string { return fmt.Sprintf("%g + %g × |want|", t.Absolute, t.Relative) }

func parseTolerance(raw json.RawMessage) (Tolerance, error) {
	t := DefaultTolerance
	keys, err := object(raw, "absolute", "relative")
	if err != nil {
		return t, fmt.Errorf("tolerance%w", err)
	}
	if err := readPart(keys, "absolute", &t.Absolute); err != nil {
		return t, err
	}
	return t, readPart(keys, "relative", &t.Relative)
}

func readPart(keys map[string]json.RawMessage, key string, number *float64) error {
	raw, ok := keys[key]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, number); err != nil || string(raw) == "null" || *number < 0 {
		return fmt.Errorf("tolerance.%s: expected a number of 0 or more", key)
	}
	return nil
}
