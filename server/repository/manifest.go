package repository

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// CheckManifest compares the digests of a bundle's files with what its
// MANIFEST.json says: each file that is named is there and the same, and each
// that is there is named.
func CheckManifest(path string, digests map[string]string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var manifest struct {
		Files map[string]string `json:"files"`
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if len(manifest.Files) == 0 {
		return fmt.Errorf(`%s: has no "files"`, path)
	}
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: "+format, append([]any{path}, args...)...))
	}
	for _, name := range slices.Sorted(maps.Keys(manifest.Files)) {
		want := strings.ToLower(strings.TrimPrefix(manifest.Files[name], "sha256:"))
		switch got, there := digests[name]; {
		case !there:
			wrong("names %s, which the bundle does not have", name)
		case got != want:
			wrong("the SHA-256 of %s is %s and should be %s", name, got, want)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		if _, named := manifest.Files[name]; !named && name != ManifestFile {
			wrong("does not name %s, which is there", name)
		}
	}
	return errors.Join(problems...)
}
