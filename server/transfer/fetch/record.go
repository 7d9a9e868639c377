package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const recordFile = "fetched.json"

// record is what was brought into a repository, by source and object.
type record struct {
	Objects map[string]entry `json:"objects"`
}

type entry struct {
	Tag     string          `json:"tag,omitempty"`
	SHA256  string          `json:"sha256"` // of the object, which may be an archive
	Model   string          `json:"model,omitempty"`
	Version int64           `json:"version,omitempty"`
	Base    string          `json:"base,omitempty"` // the folder that the files are laid in
	Files   map[string]file `json:"files"`
	Covered bool            `json:"covered,omitempty"` // a later layer has a file over one of these
}

type file struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func readRecord(folder string) (record, error) {
	r := record{Objects: map[string]entry{}}
	path := filepath.Join(folder, recordFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil || r.Objects == nil {
		return r, fmt.Errorf("read %s: not what fetch wrote there; remove it to fetch anew: %w", path, err)
	}
	return r, nil
}

func (r record) write(folder string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, recordFile)
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (j *job) recordKey(o object) string {
	if j.asFile {
		return j.shown + " " + o.key + " " + o.name
	}
	return j.shown + " " + o.key
}

// isOf is true when the object is still the one that was brought, for the same place.
func (e entry) isOf(o object, j *job) bool {
	if e.Model != j.Model || e.Version != j.Version {
		return false
	}
	if o.sha256 != "" {
		return e.SHA256 == o.sha256
	}
	return o.tag != "" && e.Tag == o.tag
}

// isThere reads the files: a record alone does not show that they are whole.
func (e entry) isThere(root string) bool {
	for name, want := range e.Files {
		sum, size, err := sumOf(filepath.Join(root, e.Base, name))
		if err != nil || sum != want.SHA256 || size != want.Size {
			return false
		}
	}
	return true
}
