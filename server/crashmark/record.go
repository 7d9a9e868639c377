package crashmark

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

const (
	window      = time.Hour
	mostDeaths  = 3 // in the window, after which a version is held back
	mostRecords = 4 * entries
	mostHeld    = 256
)

// record is crashes.json. It changes only while it is opened.
type record struct {
	path string

	Deaths []death    `json:"deaths"` // of the last hour, oldest first
	Held   []identity `json:"held"`   // versions held back, oldest first
}

// death is a version that was running when a process died, as its successor noticed.
type death struct {
	identity
	At time.Time `json:"at"`
}

// readRecord reads the record without what is too old. A damaged one counts as empty:
// it is no reason not to serve.
func readRecord(path string, now time.Time) (record, error) {
	r := record{path: path}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err != nil:
		return r, err
	}
	if json.Unmarshal(text, &r) != nil {
		return record{path: path}, nil
	}
	r.Deaths = slices.DeleteFunc(r.Deaths, func(d death) bool { return now.Sub(d.At) >= window })
	return r, nil
}

// add records a death at which these entries were left, holds back the version that
// is most likely to blame once it has been there too often, and writes the file.
func (r *record) add(all []left, now time.Time) ([]Crash, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var blamed *left
	for i := range all {
		r.Deaths = append(r.Deaths, death{all[i].identity, now})
		if r.blames(&all[i], blamed, now) {
			blamed = &all[i]
		}
	}
	if blamed != nil {
		r.Held = append(r.Held, blamed.identity)
	}
	crashes := make([]Crash, len(all))
	for i, l := range all {
		crashes[i] = Crash{Model: l.Model, Version: l.Version, Runs: l.runs, Deaths: r.deaths(l.identity, now), Held: r.holds(l.identity)}
	}
	r.Deaths = r.Deaths[max(0, len(r.Deaths)-mostRecords):]
	r.Held = r.Held[max(0, len(r.Held)-mostHeld):]
	return crashes, r.write()
}

// blames reports whether l is to be held back rather than other, which may be nil:
// the one that was there more often, then the one that was loaded later.
func (r *record) blames(l, other *left, now time.Time) bool {
	deaths := r.deaths(l.identity, now)
	if deaths < mostDeaths || r.holds(l.identity) {
		return false
	}
	if other == nil {
		return true
	}
	others := r.deaths(other.identity, now)
	return deaths > others || deaths == others && l.Loaded.After(other.Loaded)
}

func (r *record) deaths(i identity, now time.Time) (n int) {
	for _, d := range r.Deaths {
		if d.same(i) && now.Sub(d.At) < window {
			n++
		}
	}
	return n
}

func (r *record) holds(i identity) bool { return slices.ContainsFunc(r.Held, i.same) }

// held returns why a version is held back, or nil.
func (r *record) held(i identity) error {
	if !r.holds(i) {
		return nil
	}
	return fmt.Errorf("the version was running when the server died, %d times within an hour: it is not loaded until its files or settings change (%s has the record)",
		mostDeaths, r.path)
}

// suspect returns how often a version was running at a death, in words; empty if it
// was not.
func (r *record) suspect(i identity, now time.Time) string {
	n := r.deaths(i, now)
	if n == 0 {
		return ""
	}
	var last time.Time
	for _, d := range r.Deaths {
		if d.same(i) {
			last = d.At
		}
	}
	return fmt.Sprintf("the version was running when the server died: %d times in the last hour, noticed last at %s; after %d times it may not be loaded",
		n, last.UTC().Format(time.RFC3339), mostDeaths)
}

func (r *record) write() error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.path+".tmp", text, 0o600); err != nil {
		return err
	}
	return os.Rename(r.path+".tmp", r.path)
}
