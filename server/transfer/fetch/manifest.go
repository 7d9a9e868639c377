package fetch

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

const manifestFile = "MANIFEST.json"

// parseManifest reads the sums, in hex, of a bundle's files by their path in it.
func parseManifest(text []byte) (map[string]string, error) {
	var m struct {
		Files map[string]string `json:"files"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	if len(m.Files) == 0 {
		return nil, fmt.Errorf(`no "files"; want {"files": {%q: "sha256:…"}}`, modelFile)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		sum, isSum := strings.CutPrefix(m.Files[name], sha256Prefix)
		if !isSum || !isSHA256(sum) {
			return nil, fmt.Errorf("files[%q]: %q is not sha256: and 64 hexadecimal digits", name, m.Files[name])
		}
		if err := checkPath(name); err != nil {
			return nil, err
		}
		m.Files[name] = strings.ToLower(sum)
	}
	return m.Files, nil
}

// verify checks each bundle that has a manifest against it.
func (t *tree) verify() error {
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		if path.Base(name) != manifestFile {
			continue
		}
		text, err := t.root.ReadFile(name)
		if err != nil {
			return err
		}
		sums, err := parseManifest(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := t.compare(path.Dir(name), sums); err != nil {
			return err
		}
	}
	return nil
}

func isMissing(at string) error {
	return fmt.Errorf("%s is named in its %s and missing; publish the bundle whole", at, manifestFile)
}

// compare wants the folder's files to be those of the manifest: one that it does
// not name is one that nobody vouches for. Its own signature is not named in it.
func (t *tree) compare(folder string, sums map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		at := path.Join(folder, name)
		is, has := t.files[at]
		if !has {
			return isMissing(at)
		}
		if err := checkSum(at, is.SHA256, sums[name]); err != nil {
			return err
		}
	}
	for _, at := range slices.Sorted(maps.Keys(t.files)) {
		name := at
		if folder != "." {
			var below bool
			if name, below = strings.CutPrefix(at, folder+"/"); !below {
				continue
			}
		}
		if _, named := sums[name]; !named && !strings.HasPrefix(name, manifestFile) {
			return fmt.Errorf("%s is not named in the %s beside it; publish a new one, or leave the file out", at, manifestFile)
		}
	}
	return nil
}
