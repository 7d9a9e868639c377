package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Manifest has the SHA-256 of each file of a bundle, in lower-case hexadecimal
// digits, by the file's path in it.
type Manifest map[string]string

// ParseManifest reads a MANIFEST.json. Keys other than "files" belong to its
// writer. Each file must be one that readers look at, and its digest a SHA-256
// with or without the prefix sha256:.
func ParseManifest(text []byte) (Manifest, error) {
	var document struct {
		Files map[string]string `json:"files"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if len(document.Files) == 0 {
		return nil, fmt.Errorf(`no "files"; expected {"files": {%q: "sha256:…"}}`, ModelFile)
	}
	m := Manifest{}
	for _, name := range slices.Sorted(maps.Keys(document.Files)) {
		digest, ok := ParseSHA256(document.Files[name])
		switch err := checkFile(name); {
		case err != nil:
			return nil, fmt.Errorf("files: %w", err)
		case IsManifest(name):
			return nil, fmt.Errorf("files: %q: a manifest names neither itself nor its signature", name)
		case !ok:
			return nil, fmt.Errorf("files[%q]: expected sha256: and 64 hexadecimal digits", name)
		}
		m[name] = digest
	}
	return m, nil
}

// Verify compares the digests of a bundle's files with the manifest: each file
// that it names is there and the same, and each that is there is named.
func (m Manifest) Verify(digests map[string]string) error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(m)) {
		switch got, exists := digests[name]; {
		case !exists:
			report("names %s, which the bundle does not have", name)
		case got != m[name]:
			report("the SHA-256 of %s is %s and should be %s", name, got, m[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		if _, named := m[name]; !named && !IsManifest(name) {
			report("does not name %s, which is there", name)
		}
	}
	return errors.Join(Few(problems)...)
}

// MaxManifestBytes bounds a MANIFEST.json: its entry for each file of a bundle is a
// name and a digest.
const MaxManifestBytes = 4 << 20

// VerifyManifest compares the digests of a bundle's files with its manifest, the
// text of a MANIFEST.json.
func VerifyManifest(text []byte, digests map[string]string) error {
	m, err := ParseManifest(text)
	if err != nil {
		return err
	}
	return m.Verify(digests)
}

// Missing returns the first file that the manifest names and has does not report
// to exist, or empty.
func (m Manifest) Missing(has func(name string) bool) string {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !has(name) {
			return name
		}
	}
	return ""
}

// MarshalJSON writes the manifest as ParseManifest reads it.
func (m Manifest) MarshalJSON() ([]byte, error) {
	files := make(map[string]string, len(m))
	for name, digest := range m {
		files[name] = sha256Prefix + digest
	}
	return json.Marshal(map[string]any{"files": files})
}
