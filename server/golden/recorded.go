package golden

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Recorded says what a response comes from. Other threads and other versions sum in
// another order, which may show in the last digits. Zero values are not known.
type Recorded struct {
	Runtime string `json:"runtime,omitempty"` // its name and version
	Threads int    `json:"threads,omitempty"` // of one run
}

// OtherThan returns how what was recorded differs from what runs now, or empty.
func (r Recorded) OtherThan(now Recorded) string {
	if (r.Runtime == "" || r.Runtime == now.Runtime) && (r.Threads == 0 || r.Threads == now.Threads) {
		return ""
	}
	return fmt.Sprintf("it was recorded with %s and is run with %s: if the response is right for both, record it again or raise its tolerance", r, now)
}

func (r Recorded) String() string {
	switch {
	case r.Runtime == "":
		return threads(r.Threads)
	case r.Threads == 0:
		return r.Runtime
	}
	return fmt.Sprintf("%s and %s", r.Runtime, threads(r.Threads))
}

func threads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}

func parseRecorded(raw json.RawMessage) (r Recorded, err error) {
	keys, err := object(raw, "runtime", "threads")
	if err != nil {
		return r, fmt.Errorf("recorded%w", err)
	}
	if text, has := keys["runtime"]; has && json.Unmarshal(text, &r.Runtime) != nil {
		return r, errors.New("recorded.runtime: expected a string")
	}
	if number, has := keys["threads"]; has && (json.Unmarshal(number, &r.Threads) != nil || r.Threads < 0) {
		return r, errors.New("recorded.threads: expected a whole number of 0 or more")
	}
	return r, nil
}
